// The one table of control methods: name, schemas, scope, and the function behind. The socket, plugins (nexus.control/1)
// and through them every other face call it; nothing else reaches into a running host. Methods are added before the
// first call; calls come from any thread, CBOR in and CBOR out, and never throw.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/control/control_thread.hpp"
#include "nexus/schema.hpp"

namespace nexus::host {

class Registry;

// What a caller must be allowed to do; each includes those before it.
enum class Scope : uint8_t { read, emit, admin };
std::string_view scope_name(Scope scope);

// Where a method runs: on the caller's thread, or on the control thread while the caller waits.
enum class RunsOn : uint8_t { caller, control };

struct Caller {
  std::string_view name;  // a plugin's id; empty for the socket
  Scope scope = Scope::admin;
  // How long a call waits for the control thread to come to it. A plugin's own thread must not wait for ever: the
  // control thread may be waiting for that thread to end.
  std::chrono::milliseconds patience{600'000};
};

// Takes what a stream gives. Any thread; never waits.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // One CBOR item. False: no room, and the item was dropped and counted.
  virtual bool item(std::span<const uint8_t> cbor) = 0;
  // Nothing follows: the stream has come to its end.
  virtual void end() = 0;
  // Nothing follows, for this reason.
  virtual void fail(const Error& error) = 0;
};

// An open stream; destroying it ends it. Not from inside the sink.
class Stream {
 public:
  virtual ~Stream() = default;
};

struct MethodText {
  std::string_view name;     // "plugins.reload"
  std::string_view summary;  // one sentence with a final full stop
  Scope scope = Scope::read;
  RunsOn runs_on = RunsOn::caller;
};

struct Method {
  std::string name;
  std::string summary;
  Scope scope = Scope::read;
  RunsOn runs_on = RunsOn::caller;
  std::string params_schema;  // JSON Schema draft-07
  std::string result_schema;  // of the result, or of each item of a stream
  // One of the two is set.
  std::function<Result<void>(const Caller&, std::span<const uint8_t> params, cbor::Buffer& result)> call;
  std::function<Result<std::unique_ptr<Stream>>(const Caller&, std::span<const uint8_t> params,
                                                std::shared_ptr<StreamSink> sink)>
      open;
};

namespace control {

struct NoParams {};
NEXUS_STRUCT(NoParams)
struct Done {};
NEXUS_STRUCT(Done)

template <class T>
std::string schema_of() {
  schema::SchemaText text(true);
  text.begin('{');
  text.member("$schema", "http://json-schema.org/draft-07/schema#");
  schema::Codec<T>::schema(text, nullptr);
  text.end('}');
  return text.take();
}

Error params_error(std::string_view method, const schema::Failure& failure);
Error result_error(std::string_view method);

// Strict: an unknown name is a mistyped one. Null is as good as nothing.
template <class T>
Result<void> read_params(std::string_view method, std::span<const uint8_t> params, T& out) {
  if (params.size() == 1 && params[0] == 0xf6u) params = {};
  schema::Decoder decoder(params, true);
  if (!schema::decode_whole(decoder, out)) return params_error(method, *decoder.failure());
  return {};
}

template <class T>
Result<void> write_result(std::string_view method, const T& value, cbor::Buffer& out) {
  schema::Encoding encoding;
  const uint8_t* end = schema::Codec<T>::put(out.reserve(schema::Codec<T>::bound(value)), value, encoding);
  if (encoding.broken) return result_error(method);
  out.commit(end);
  return {};
}

}  // namespace control

class Surface {
 public:
  // `thread` must outlive the surface. Adds control.methods.
  explicit Surface(ControlThread& thread);

  void add(Method method);

  // A method with described structs (NEXUS_STRUCT) for parameters and result:
  // surface.add_typed<Params, Answer>({...}, [](const Caller&, const Params&) -> Result<Answer> {...});
  template <class Params, class Answer, class Run>
  void add_typed(const MethodText& text, Run run) {
    Method method = describe<Params, Answer>(text);
    method.call = [name = method.name, run = std::move(run)](const Caller& caller, std::span<const uint8_t> bytes,
                                                             cbor::Buffer& out) -> Result<void> {
      Params params{};
      if (auto read = control::read_params(name, bytes, params); !read) return read;
      Result<Answer> answer = run(caller, params);
      if (!answer) return answer.error();
      return control::write_result(name, answer.value(), out);
    };
    add(std::move(method));
  }

  // A stream whose items are Item's, as its schema says.
  template <class Params, class Item, class Open>
  void add_stream(const MethodText& text, Open open) {
    Method method = describe<Params, Item>(text);
    method.open = [name = method.name, open = std::move(open)](
                      const Caller& caller, std::span<const uint8_t> bytes,
                      std::shared_ptr<StreamSink> sink) -> Result<std::unique_ptr<Stream>> {
      Params params{};
      if (auto read = control::read_params(name, bytes, params); !read) return read.error();
      return open(caller, params, std::move(sink));
    };
    add(std::move(method));
  }

  // The method, or NEXUS_E_UNKNOWN with the nearest name; NEXUS_E_PERMISSION when the caller may not.
  Result<const Method*> find(std::string_view name, const Caller& caller) const;

  // Calls and waits; the result is appended to `out`. `params` is a CBOR map, or empty.
  Result<void> call(const Caller& caller, std::string_view method, std::span<const uint8_t> params,
                    cbor::Buffer& out) const;
  // The same with values, for the host's own use and for tests.
  Result<cbor::Value> call(std::string_view method, const cbor::Value& params = {}, const Caller& caller = {}) const;

  Result<std::unique_ptr<Stream>> open(const Caller& caller, std::string_view method, std::span<const uint8_t> params,
                                       std::shared_ptr<StreamSink> sink) const;

  // Counts calls and failures by method from now on; must outlive the surface.
  void count_in(Registry& metrics) { metrics_ = &metrics; }

  const std::map<std::string, Method, std::less<>>& methods() const { return methods_; }

 private:
  template <class Params, class Answer>
  static Method describe(const MethodText& text) {
    Method method;
    method.name = text.name;
    method.summary = text.summary;
    method.scope = text.scope;
    method.runs_on = text.runs_on;
    method.params_schema = control::schema_of<Params>();
    method.result_schema = control::schema_of<Answer>();
    return method;
  }
  void add_list();
  Result<void> run_guarded(const Method& method, const Caller& caller, const std::function<Result<void>()>& run) const;
  void count(std::string_view method, bool failed) const;

  ControlThread& thread_;
  Registry* metrics_ = nullptr;
  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace nexus::host
