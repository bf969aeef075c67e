#include "host/control/saga_methods.hpp"

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "host/bus/thread_state.hpp"
#include "nexus/abi/draft/saga.h"
#include "nexus/errors.hpp"

namespace nexus::host {
namespace {

using namespace control;

// One plugin's answer. Shared with the task in its mailbox, which may come to it after the caller has gone.
class Question {
 public:
  explicit Question(std::string plugin) : plugin_(std::move(plugin)) {}

  const std::string& plugin() const { return plugin_; }

  void answer(Result<Bytes> result) {
    {
      std::lock_guard guard(mutex_);
      if (result_) return;
      result_ = std::move(result);
    }
    answered_.notify_all();
  }

  Result<Bytes> wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!answered_.wait_until(lock, deadline, [&] { return result_.has_value(); }))
      return make_error(NEXUS_E_TIMEOUT, plugin_ + " is busy, and has not come to the question",
                        "`nexus plugins info " + plugin_ + "` tells whether it is stuck");
    return *result_;
  }

 private:
  const std::string plugin_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<Bytes>> result_;  // guarded by mutex_
};

// A task that was dropped, since its plugin has gone, answers as well.
class Asking {
 public:
  explicit Asking(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Asking() { question_->answer(make_error(NEXUS_E_STOPPING, question_->plugin() + " has been unloaded or replaced")); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  Question& question() { return *question_; }

 private:
  const std::shared_ptr<Question> question_;
};

struct Collected {
  static void append(void* user, const uint8_t* data, uint64_t size) {
    auto& self = *static_cast<Collected*>(user);
    if (size > kSagaAnswerBytesMax - self.bytes.size()) self.too_large = true;
    if (!self.too_large && size != 0) self.bytes.insert(self.bytes.end(), data, data + size);
  }
  Bytes bytes;
  bool too_large = false;
};

// One function of nexus.saga/1.
using Ask = std::function<int32_t(const nexus_saga&, void* instance, Collected&, nexus_error*)>;

// In the plugin's mailbox.
Result<Bytes> ask_plugin(const std::string& plugin, const nexus_saga& saga, void* instance, const Ask& ask) {
  std::array<char, 512> text{};
  nexus_error error{sizeof error, NEXUS_OK, static_cast<uint32_t>(text.size()), 0, text.data()};
  Collected collected;
  int32_t code = NEXUS_OK;
  try {
    code = ask(saga, instance, collected, &error);
  } catch (...) {
    return make_error(NEXUS_E_PLUGIN, plugin + " threw out of nexus.saga/1");
  }
  if (code != NEXUS_OK) {
    const std::string_view said(text.data(), std::min<size_t>(error.len, text.size()));
    return make_error(code, plugin + ": " + (cbor::is_utf8(said) ? std::string(said) : "it failed"));
  }
  if (collected.too_large)
    return make_error(NEXUS_E_TOO_LARGE, plugin + ": its answer is over 16 MiB", "ask for fewer with `limit`");
  return std::move(collected.bytes);
}

class SagaMethods {
 public:
  SagaMethods(PluginManager& manager, ControlThread& thread, std::chrono::milliseconds wait)
      : manager_(manager), thread_(thread), wait_(wait) {}

  Result<SagaList> list(const Caller& caller, const SagaListParams& params) const {
    auto questions = pose(
        caller, params.plugin, [params](const nexus_saga& saga, void* instance, Collected& out, nexus_error* error) {
          return saga.list(instance, nexus::detail::to_abi(params.state), nexus::detail::to_abi(params.after),
                           params.limit, &Collected::append, &out, error);
        });
    if (!questions) return questions.error();
    SagaList all;
    const auto deadline = std::chrono::steady_clock::now() + wait_;
    for (const auto& question : questions.value()) {
      SagaTotalsRow totals;
      Result<void> read = read_list(question->wait_until(deadline), totals, question->plugin(), all.instances);
      totals.plugin = question->plugin();
      if (!read) totals.error = error_row(read.error());
      all.sagas.push_back(std::move(totals));
    }
    return all;
  }

  Result<SagaShown> show(const Caller& caller, const SagaShowParams& params) const {
    auto questions =
        pose(caller, params.plugin,
             [key = params.key](const nexus_saga& saga, void* instance, Collected& out, nexus_error* error) {
               return saga.show(instance, nexus::detail::to_abi(key), &Collected::append, &out, error);
             });
    if (!questions) return questions.error();
    SagaShown shown;
    std::optional<Error> failure;
    const auto deadline = std::chrono::steady_clock::now() + wait_;
    for (const auto& question : questions.value()) {
      const Result<Bytes> answer = question->wait_until(deadline);
      SagaRow row;
      Result<void> read = answer ? read_answer(answer.value(), row, question->plugin()) : answer.error();
      row.plugin = question->plugin();
      if (read)
        shown.instances.push_back(std::move(row));
      else if (read.error().code != NEXUS_E_UNKNOWN)
        failure = read.error();
    }
    if (!shown.instances.empty()) return shown;
    if (failure) return *failure;
    return make_error(NEXUS_E_UNKNOWN, "no saga has an active instance with the key '" + params.key + "'",
                      "`nexus saga ls` lists them; one that has ended is gone");
  }

 private:
  // The plugins that have sagas, or the one of that id, each asked in its mailbox.
  Result<std::vector<std::shared_ptr<Question>>> pose(const Caller& caller, const std::string& plugin, Ask ask) const {
    // In a callback the plugin might be one that is asked: its mailbox would wait for itself.
    if (thread_state().in_callback)
      return make_error(NEXUS_E_THREAD, "sagas cannot be asked for from a handler, a timer or a task",
                        "call it from a thread of the plugin's own");
    std::vector<std::shared_ptr<Question>> questions;
    const auto shared_ask = std::make_shared<const Ask>(std::move(ask));
    Result<void> known{};
    auto ran = thread_.run(
        [&] {
          if (!plugin.empty()) {
            if (auto info = manager_.info(plugin); !info) known = info.error();
          }
          manager_.ask_providers(
              NEXUS_SAGA_ID, plugin,
              [&](const std::string& id, const void* table, void* instance) -> std::function<void()> {
                const auto& saga = *static_cast<const nexus_saga*>(table);
                auto question = std::make_shared<Question>(id);
                questions.push_back(question);
                if (saga.size < sizeof(nexus_saga) || saga.list == nullptr || saga.show == nullptr) {
                  question->answer(make_error(NEXUS_E_PLUGIN, id + ": its nexus.saga/1 is incomplete"));
                  return {};
                }
                return [asking = std::make_shared<Asking>(question), shared_ask, &saga, instance] {
                  Question& mine = asking->question();
                  mine.answer(ask_plugin(mine.plugin(), saga, instance, *shared_ask));
                };
              });
        },
        caller.patience);
    if (!ran) return ran.error();
    if (!known) return known.error();
    if (!plugin.empty() && questions.empty())
      return make_error(NEXUS_E_UNSUPPORTED, plugin + " has no saga, or is not running");
    return questions;
  }

  template <class T>
  static Result<void> read_answer(const Bytes& bytes, T& out, const std::string& plugin) {
    schema::Decoder decoder(bytes, false);
    if (schema::decode_whole(decoder, out)) return {};
    return make_error(NEXUS_E_SCHEMA, schema::sentence(plugin, *decoder.failure()));
  }

  static Result<void> read_list(const Result<Bytes>& answer, SagaTotalsRow& totals, const std::string& plugin,
                                std::vector<SagaRow>& instances) {
    if (!answer) return answer.error();
    SagaList rows;
    if (auto read = read_answer(answer.value(), totals, plugin); !read) return read;
    if (auto read = read_answer(answer.value(), rows, plugin); !read) return read;
    for (SagaRow& row : rows.instances) {
      row.plugin = plugin;
      instances.push_back(std::move(row));
    }
    return {};
  }

  PluginManager& manager_;
  ControlThread& thread_;
  const std::chrono::milliseconds wait_;
};

}  // namespace

void add_saga_methods(Surface& surface, PluginManager& manager, ControlThread& thread, std::chrono::milliseconds wait) {
  const SagaMethods methods(manager, thread, wait);
  surface.add_typed<SagaListParams, SagaList>(
      {"saga.list", "The sagas that run: their totals, and the active instances by key.", Scope::read, RunsOn::caller},
      [methods](const Caller& caller, const SagaListParams& params) { return methods.list(caller, params); });
  surface.add_typed<SagaShowParams, SagaShown>(
      {"saga.show", "One instance of a saga, with what its steps keep.", Scope::read, RunsOn::caller},
      [methods](const Caller& caller, const SagaShowParams& params) { return methods.show(caller, params); });
}

}  // namespace nexus::host
