#include <boost/json.hpp>

#include "host/plugin/module_info.hpp"

namespace nexus::host {
namespace {

namespace json = boost::json;

Error unreadable(const std::string& what) {
  return make_error(NEXUS_E_LOAD_MODULE, "the probe's answer cannot be read: " + what);
}

// Takes members out of an object and remembers the first that was missing or of another kind.
class Fields {
 public:
  explicit Fields(const json::value& value) : object_(value.if_object()) {
    if (object_ == nullptr) failed_ = "not an object";
  }

  std::string text(std::string_view name) {
    const json::value* value = find(name);
    const json::string* string = value != nullptr ? value->if_string() : nullptr;
    if (string == nullptr) return fail(name), std::string();
    return std::string(string->data(), string->size());
  }

  template <class T>
  T number(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_number()) return fail(name), T{};
    boost::system::error_code error;
    const T out = value->to_number<T>(error);
    if (error) fail(name);
    return out;
  }

  const json::array& list(std::string_view name) {
    static const json::array kNone;
    const json::value* value = find(name);
    const json::array* array = value != nullptr ? value->if_array() : nullptr;
    if (array == nullptr) return fail(name), kNone;
    return *array;
  }

  void absorb(const Fields& inner) {
    if (failed_.empty()) failed_ = inner.failed_;
  }
  const std::string& failed() const { return failed_; }

 private:
  const json::value* find(std::string_view name) const { return object_ != nullptr ? object_->if_contains(name) : nullptr; }
  void fail(std::string_view name) {
    if (failed_.empty()) failed_ = "member " + std::string(name);
  }

  const json::object* object_;
  std::string failed_;
};

}  // namespace

std::string module_to_json(const ModuleInfo& module) {
  json::array requirements;
  for (const ModuleRequirement& one : module.requirements) {
    requirements.push_back({{"id", one.id}, {"version", one.version}});
  }
  json::array events;
  for (const ModuleEvent& one : module.events) {
    events.push_back({{"type", one.type}, {"version", one.version}, {"json_schema", one.json_schema}});
  }
  json::array handlers;
  for (const ModuleHandler& one : module.handlers) {
    handlers.push_back({{"name", one.name}, {"pattern", one.pattern}, {"priority", one.priority}});
  }
  const json::value out = {{"id", module.id},
                           {"version", module.version},
                           {"name", module.name},
                           {"description", module.description},
                           {"vendor", module.vendor},
                           {"abi_major", NEXUS_ABI_MAJOR},
                           {"minor_built", module.minor_built},
                           {"minor_min", module.minor_min},
                           {"flags", module.flags},
                           {"requirements", std::move(requirements)},
                           {"events", std::move(events)},
                           {"handlers", std::move(handlers)},
                           {"config_schema", module.config_schema}};
  return json::serialize(out);
}

Result<ModuleInfo> module_from_json(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error) return unreadable(error.message());
  Fields fields(value);
  ModuleInfo out;
  out.id = fields.text("id");
  out.version = fields.text("version");
  out.name = fields.text("name");
  out.description = fields.text("description");
  out.vendor = fields.text("vendor");
  out.minor_built = fields.number<uint16_t>("minor_built");
  out.minor_min = fields.number<uint16_t>("minor_min");
  out.flags = fields.number<uint32_t>("flags");
  out.config_schema = fields.text("config_schema");
  for (const json::value& item : fields.list("requirements")) {
    Fields one(item);
    out.requirements.push_back({one.text("id"), one.text("version")});
    fields.absorb(one);
  }
  for (const json::value& item : fields.list("events")) {
    Fields one(item);
    out.events.push_back({one.text("type"), one.text("json_schema"), one.number<uint32_t>("version")});
    fields.absorb(one);
  }
  for (const json::value& item : fields.list("handlers")) {
    Fields one(item);
    out.handlers.push_back({one.text("name"), one.text("pattern"), one.number<int32_t>("priority")});
    fields.absorb(one);
  }
  if (!fields.failed().empty()) return unreadable(fields.failed());
  return out;
}

}  // namespace nexus::host
