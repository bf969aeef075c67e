#include "host/base/error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <ostream>
#include <stdexcept>

namespace nexus::host {
namespace {

// Sorted by code, because error_text searches it; the static_assert below keeps it so. The label is spelled out in each
// row, so that error_label can hand out a view of static text.
struct Row {
  ErrorText text;
  std::string_view label;
};

#define NEXUS_ROW(code, digits, name, sentence, help) \
  Row { {code, name, sentence, help}, "NX" digits " " name }

constexpr Row kRows[] = {
    NEXUS_ROW(NEXUS_OK, "0000", "ok", "it worked", ""),
    NEXUS_ROW(NEXUS_OK_DUPLICATE, "0001", "duplicate",
              "an event with this id was accepted before; it is not delivered again",
              "Nothing needs to be done: repeating an event with the same id is safe."),

    NEXUS_ROW(NEXUS_E_ARGUMENT, "0100", "argument",
              "the call was wrong: a null pointer, a size below the 1.0 layout, or an unknown flag",
              "Build the caller against the headers of this SDK, and zero every options struct before filling it in."),
    NEXUS_ROW(NEXUS_E_HANDLE, "0101", "handle", "the handle is closed, revoked, or belongs to another plugin instance",
              "Handles end with their instance; take a new one after a reload, and do not pass one between plugins."),
    NEXUS_ROW(NEXUS_E_THREAD, "0102", "thread", "the call is not allowed on this thread",
              "Each function of the ABI names its threads. Never block in a handler: use a callback, or a thread of "
              "the plugin's own."),
    NEXUS_ROW(NEXUS_E_STATE, "0103", "state", "the call is not allowed in this state of the plugin or the host",
              "Look at the order of calls in abi/module.h: create, start, events, quiesce, destroy."),
    NEXUS_ROW(NEXUS_E_UNKNOWN, "0104", "unknown_name", "no such interface, method, plugin, subscription or key",
              "Check the spelling; `nexus plugins ls` lists plugins, and the method control.methods lists methods."),
    NEXUS_ROW(NEXUS_E_UNSUPPORTED, "0105", "unsupported", "this host or its backend knows the request but cannot do it",
              "Choose a backend that offers it, or a newer host."),
    NEXUS_ROW(NEXUS_E_PERMISSION, "0106", "permission", "the config does not grant this to the plugin",
              "Add the grant under [plugins.\"<id>\"] permissions in nexus.toml if the plugin ought to have it."),
    NEXUS_ROW(NEXUS_E_TOO_LARGE, "0107", "too_large", "it is over a limit",
              "The message names the limit; make the thing smaller, or raise the limit in the config if it has a key."),
    NEXUS_ROW(NEXUS_E_OVERFLOW, "0108", "overflow", "the caller's buffer is too small",
              "Call again with the size that the message tells."),
    NEXUS_ROW(NEXUS_E_TIMEOUT, "0109", "timeout", "the time given for it ran out",
              "See whether whoever should answer is loaded and not stuck (`nexus plugins ls`), or give it more time."),
    NEXUS_ROW(NEXUS_E_CANCELLED, "0110", "cancelled", "it was cancelled, or its plugin goes away",
              "Expected when a plugin is unloaded or replaced; otherwise look for who cancelled it."),
    NEXUS_ROW(NEXUS_E_INTERNAL, "0111", "internal", "something that must not happen did happen",
              "Please report it, with the log around this line."),
    NEXUS_ROW(NEXUS_E_MEMORY, "0112", "memory", "the machine has no memory left for it",
              "Lower events.max_queue_size, send smaller events, or give the host more memory."),
    NEXUS_ROW(NEXUS_E_IO, "0113", "io", "the operating system refused",
              "The message is the system's own text; check the path, its permissions and the disk."),
    NEXUS_ROW(NEXUS_E_PLUGIN, "0114", "plugin_failed", "a plugin's code failed",
              "The message is the plugin's own; look at its log lines (`nexus plugins info <id>`)."),

    NEXUS_ROW(
        NEXUS_E_TYPE_NAME, "0200", "type_name", "this is no event type",
        "A type is 1 to 255 bytes: segments of a-z, 0-9, '_' and '-', joined by single dots, like order.created."),
    NEXUS_ROW(NEXUS_E_PATTERN, "0201", "pattern", "this pattern cannot be read",
              "A pattern is a type in which whole segments may be '*' or '**', like user.*, *.error, a.*.c or a.**.c."),
    NEXUS_ROW(NEXUS_E_UTF8, "0202", "utf8", "the text is not UTF-8",
              "Send UTF-8; bytes that are no text belong into a CBOR byte string."),
    NEXUS_ROW(NEXUS_E_CBOR, "0203", "cbor", "the data is not one well-formed CBOR item, or is nested too deep",
              "Data and metadata are CBOR (RFC 8949), at most 128 levels deep; label other bytes by data_format."),
    NEXUS_ROW(NEXUS_E_JSON, "0204", "json", "the text is not JSON",
              "The message names the line and column of the first character that does not fit."),
    NEXUS_ROW(NEXUS_E_SCHEMA, "0205", "schema",
              "it is well-formed, but a field is missing, unknown, or of the wrong type",
              "The message names the field."),
    NEXUS_ROW(NEXUS_E_RESERVED, "0206", "reserved", "events of types system.* and plugin.* are the host's alone",
              "Emit under a name of your own, like com_example.started or billing.started."),

    NEXUS_ROW(NEXUS_E_QUEUE_FULL, "0300", "queue_full", "the event was not accepted: a receiver's queue is full",
              "Slow down and try again; or raise events.max_queue_size, or choose another events.overflow."),
    NEXUS_ROW(
        NEXUS_E_LOOP, "0301", "loop",
        "the event was not accepted: it is the end of a chain of more than 32 events, each caused by the one before",
        "Two handlers answer each other without end, or one answers itself; `nexus explain <id>` shows the chain."),
    NEXUS_ROW(
        NEXUS_E_CONFLICT, "0302", "conflict",
        "the event was not accepted: its id was used before with other content, or the stream is at another version",
        "Give every event an id of its own; for a stream, read it again and repeat with the version found."),
    NEXUS_ROW(NEXUS_E_STOPPING, "0303", "stopping",
              "the event was not accepted: the host, or the plugin, is shutting down",
              "Send it again when the host is back."),
    NEXUS_ROW(NEXUS_E_STORE_FAILED, "0304", "store_failed", "the event was not accepted: the event store failed",
              "Look for the store's error in the log; the disk or the database needs attention."),
    NEXUS_ROW(
        NEXUS_E_STORE_FULL, "0305", "store_full", "the event was not accepted: the event store has no room left",
        "Free disk space, or shorten events.event_retention_days; the host goes on by itself when there is room."),
    NEXUS_ROW(NEXUS_E_BROKER, "0306", "broker", "the event was not accepted: the message broker did not take it",
              "See whether the broker is reachable and has memory and disk left."),
    NEXUS_ROW(NEXUS_E_EXPIRED, "0307", "expired", "the event was not accepted: its time of expiry has passed",
              "Set `expires` later, or compare the clocks of both machines."),
    NEXUS_ROW(NEXUS_E_IN_DOUBT, "0399", "in_doubt", "it is not known whether the event was accepted",
              "Send it again with the same id: it will be accepted once."),

    NEXUS_ROW(NEXUS_E_LOAD_FILE, "0400", "load_file",
              "the plugin's file is missing, no regular file, unreadable, or a link out of its folder",
              "Copy the file itself into the plugin folder."),
    NEXUS_ROW(NEXUS_E_LOAD_PERMISSIONS, "0401", "load_permissions",
              "the plugin's file or folder can be changed by others",
              "Make it belong to the host's user or root and take group and world write away: chmod go-w FILE. For "
              "development: plugins.unsafe_permissions = true."),
    NEXUS_ROW(NEXUS_E_LOAD_FORMAT, "0402", "load_format", "the file is no shared library, or was cut short",
              "Build it with nexus_add_plugin(), and copy it again in whole."),
    NEXUS_ROW(NEXUS_E_LOAD_ARCH, "0403", "load_arch", "the plugin was built for another kind of machine",
              "Build it for this machine's processor."),
    NEXUS_ROW(NEXUS_E_LOAD_SYMBOL, "0404", "load_symbol", "the library does not export nexus_module_v1",
              "It is not a Nexus plugin, or lacks NEXUS_PLUGIN(Class, \"id\", \"version\") at the end."),
    NEXUS_ROW(NEXUS_E_LOAD_MAJOR, "0405", "load_major", "the plugin was built for another major version of the ABI",
              "Build it against this host's SDK."),
    NEXUS_ROW(NEXUS_E_LOAD_MINOR, "0406", "load_minor", "the plugin needs a newer host",
              "Update the host, or build the plugin against this host's SDK."),
    NEXUS_ROW(NEXUS_E_LOAD_MODULE, "0407", "load_module", "the plugin's description of itself is broken",
              "Its id must be reverse-DNS (com.example.orders), its version like 1.2.3, and create must be set."),
    NEXUS_ROW(NEXUS_E_LOAD_DUPLICATE, "0408", "load_duplicate", "another file already provides this plugin id",
              "Remove one of the two files, or give one plugin another id."),
    NEXUS_ROW(NEXUS_E_LOAD_REQUIRES, "0409", "load_requires",
              "a plugin that this one requires is missing or has the wrong version",
              "Put the required plugin into the folder, in a version that fits."),
    NEXUS_ROW(NEXUS_E_LOAD_CYCLE, "0410", "load_cycle", "plugins require each other in a circle",
              "Take one of the requirements out; let the two talk by events."),
    NEXUS_ROW(NEXUS_E_LOAD_CRASH, "0411", "load_crash",
              "the library crashed while it was being looked at in a process of its own",
              "Look at its static constructors; the host itself was never at risk."),
    NEXUS_ROW(NEXUS_E_LOAD_HANG, "0412", "load_hang", "the library did not finish loading in time",
              "Look for endless work or waiting in its static constructors."),
    NEXUS_ROW(NEXUS_E_LOAD_EXIT, "0413", "load_exit", "the library ended the process while it was being loaded",
              "Take exit() and the like out of its static constructors."),
    NEXUS_ROW(NEXUS_E_LOAD_CREATE, "0414", "load_create", "the plugin's create or start failed",
              "The message is the plugin's own."),
    NEXUS_ROW(NEXUS_E_LOAD_CONFIG, "0415", "load_config", "the plugin's config has an unknown or a wrong key",
              "The message names the key under [plugins.\"<id>\".config], and the nearest right one."),
    NEXUS_ROW(NEXUS_E_LOAD_LINK, "0416", "load_link", "a library or a symbol that the plugin needs cannot be found",
              "Install the library that the message names; `ldd FILE` shows what is missing."),
    NEXUS_ROW(NEXUS_E_LOAD_DISABLED, "0417", "load_disabled", "the plugin is disabled",
              "Set enabled = true in the config, or run `nexus plugins enable <id>`."),
};
#undef NEXUS_ROW

constexpr size_t kRowCount = std::size(kRows);

constexpr bool rows_are_sorted_and_labelled() {
  for (size_t i = 0; i < kRowCount; ++i) {
    if (i > 0 && kRows[i - 1].text.code >= kRows[i].text.code) return false;
    int32_t digits = 0;
    for (size_t k = 2; k < 6; ++k) digits = digits * 10 + (kRows[i].label[k] - '0');
    if (digits != kRows[i].text.code) return false;
  }
  return true;
}
static_assert(rows_are_sorted_and_labelled(), "rows must be in the order of codes, and a label must hold its code");

constexpr auto kTexts = [] {
  std::array<ErrorText, kRowCount> texts{};
  for (size_t i = 0; i < kRowCount; ++i) texts[i] = kRows[i].text;
  return texts;
}();

const Row* find_row(int32_t code) {
  const Row* row = std::lower_bound(std::begin(kRows), std::end(kRows), code,
                                    [](const Row& r, int32_t wanted) { return r.text.code < wanted; });
  return row != std::end(kRows) && row->text.code == code ? row : nullptr;
}

}  // namespace

void throw_exception_from_error(const Error& error, const boost::source_location& location) {
  std::string text = "unchecked failure ";
  text += error_label(error.code);
  text += ": " + error.message + " (";
  text += location.file_name();
  text += ':' + std::to_string(location.line()) + ')';
  throw std::runtime_error(text);
}

const ErrorText& error_text(int32_t code) {
  const Row* row = find_row(code);
  return row ? row->text : find_row(NEXUS_E_INTERNAL)->text;
}

std::string_view error_label(int32_t code) {
  const Row* row = find_row(code);
  return row ? row->label : std::string_view("NX???? unknown");
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << error_label(error.code) << ": " << error.message;
}

ErrorTable error_table() { return {kTexts.data(), kTexts.data() + kTexts.size()}; }

int32_t write_error(nexus_error* out, int32_t code, std::string_view sentence) {
  if (out == nullptr || out->size < sizeof(nexus_error)) return code;
  out->code = code;
  out->len = 0;
  if (out->text == nullptr || out->cap == 0) return code;
  size_t length = sentence.size();
  if (length > out->cap) {
    length = out->cap;
    // Step back over continuation bytes, so that the cut falls between characters.
    while (length > 0 && (static_cast<unsigned char>(sentence[length]) & 0xC0u) == 0x80u) --length;
  }
  if (length > 0) std::memcpy(out->text, sentence.data(), length);
  out->len = static_cast<uint32_t>(length);
  return code;
}

int32_t write_exception(nexus_error* out) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return write_error(out, NEXUS_E_MEMORY, "out of memory");
  } catch (const std::exception& thrown) {
    return write_error(out, NEXUS_E_INTERNAL, thrown.what());
  } catch (...) {
    return write_error(out, NEXUS_E_INTERNAL, "an exception of an unknown type");
  }
}

}  // namespace nexus::host
