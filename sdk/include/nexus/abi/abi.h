/* abi.h - the whole published C ABI. Drafts, which may still change, are in draft/ and are included by name. */
#ifndef NEXUS_ABI_ABI_H
#define NEXUS_ABI_ABI_H

#include "base.h"
#include "bus.h"
#include "control.h"
#include "data.h"
#include "error.h"
#include "event.h"
#include "host.h"
#include "metrics.h"
#include "module.h"
#include "timer.h"

#endif
