/* The layout of every struct of the drafts, which may still change, on 64-bit machines whose pointers, int64_t and
 * double are aligned to 8. A line of this file that must change is an ABI that has changed: new members go to the end,
 * and get new lines. Compiled as C and as C++; it has nothing to run. */
#include <stddef.h>

#include "nexus/abi/draft/handover.h"
#include "nexus/abi/draft/saga.h"
#include "nexus/abi/draft/state.h"
#include "nexus/abi/draft/store.h"
#include "nexus/abi/draft/streams.h"
#include "nexus/abi/draft/transport.h"

#ifdef __cplusplus
#define ASSERT(condition, text) static_assert(condition, text)
#else
#define ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define SIZE(type, bytes) ASSERT(sizeof(type) == (bytes), "the size of " #type " has changed")
#define AT(type, member, offset) ASSERT(offsetof(type, member) == (offset), #type "." #member " has moved")

ASSERT(sizeof(void*) == 8 && sizeof(void (*)(void)) == 8, "these layouts are those of 64-bit machines");

SIZE(nexus_handover, 24); /* draft/handover.h */
AT(nexus_handover, size, 0);
AT(nexus_handover, reserved, 4);
AT(nexus_handover, save, 8);
AT(nexus_handover, restore, 16);

SIZE(nexus_saga, 24); /* draft/saga.h */
AT(nexus_saga, size, 0);
AT(nexus_saga, reserved, 4);
AT(nexus_saga, list, 8);
AT(nexus_saga, show, 16);

SIZE(nexus_state, 48); /* draft/state.h */
AT(nexus_state, size, 0);
AT(nexus_state, reserved, 4);
AT(nexus_state, ctx, 8);
AT(nexus_state, get, 16);
AT(nexus_state, put, 24);
AT(nexus_state, erase, 32);
AT(nexus_state, scan, 40);

SIZE(nexus_store, 56); /* draft/store.h */
AT(nexus_store, size, 0);
AT(nexus_store, reserved, 4);
AT(nexus_store, name, 8);
AT(nexus_store, open, 24);
AT(nexus_store, close, 32);
AT(nexus_store, commit, 40);
AT(nexus_store, read, 48);

SIZE(nexus_streams, 48); /* draft/streams.h */
AT(nexus_streams, size, 0);
AT(nexus_streams, reserved, 4);
AT(nexus_streams, ctx, 8);
AT(nexus_streams, append, 16);
AT(nexus_streams, read, 24);
AT(nexus_streams, save_snapshot, 32);
AT(nexus_streams, load_snapshot, 40);

SIZE(nexus_transport_sink, 40); /* draft/transport.h */
AT(nexus_transport_sink, size, 0);
AT(nexus_transport_sink, reserved, 4);
AT(nexus_transport_sink, ctx, 8);
AT(nexus_transport_sink, deliver, 16);
AT(nexus_transport_sink, published, 24);
AT(nexus_transport_sink, health, 32);

SIZE(nexus_transport, 80); /* draft/transport.h */
AT(nexus_transport, size, 0);
AT(nexus_transport, abilities, 4);
AT(nexus_transport, name, 8);
AT(nexus_transport, open, 24);
AT(nexus_transport, close, 32);
AT(nexus_transport, publish, 40);
AT(nexus_transport, join, 48);
AT(nexus_transport, leave, 56);
AT(nexus_transport, acknowledge, 64);
AT(nexus_transport, give_back, 72);
