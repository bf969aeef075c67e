// Conditions on events that compose: type_is("user.*") && !from("test") && metadata("environment", "production").
// A Filter is a value; it is immutable, so any number of threads may ask it. It may be built while compiling, which is
// how NEXUS_ON takes one, and it tells what it says in words, for tools.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/event.hpp"
#include "nexus/pattern.hpp"

namespace nexus {

class Filter;

namespace detail {

// Owned text that can live in a constant expression, which std::string cannot on all supported compilers.
class FilterText {
 public:
  constexpr explicit FilterText(std::string_view text) : data_(new char[text.size() + 1]{}), size_(text.size()) {
    for (std::size_t i = 0; i < size_; ++i) data_[i] = text[i];
  }
  constexpr FilterText(const FilterText& other) : FilterText(other.view()) {}
  FilterText& operator=(const FilterText&) = delete;
  constexpr ~FilterText() { delete[] data_; }
  constexpr std::string_view view() const { return {data_, size_}; }

 private:
  char* data_;
  std::size_t size_;
};

struct FilterNode {
  constexpr FilterNode() = default;
  constexpr FilterNode(const FilterNode&) = default;
  FilterNode& operator=(const FilterNode&) = delete;
  constexpr virtual ~FilterNode() = default;
  constexpr virtual FilterNode* clone() const = 0;
  virtual bool accepts(const Event& event) const = 0;
  // Appends the node in words; `nested` asks for parentheses where they matter.
  virtual void describe(std::string& out, bool nested) const = 0;
  // What joins its parts: 0 for a single condition, else a FilterJoin.
  virtual int join() const { return 0; }
};

}  // namespace detail

class Filter {
 public:
  // Takes every event.
  constexpr Filter() = default;
  constexpr Filter(const Filter& other) : node_(other.node_ == nullptr ? nullptr : other.node_->clone()) {}
  constexpr Filter(Filter&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  constexpr Filter& operator=(Filter other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  constexpr ~Filter() { delete node_; }

  // Takes over a node made with new.
  constexpr explicit Filter(detail::FilterNode* node) : node_(node) {}

  // True if it takes every event because nothing was asked for.
  constexpr bool empty() const { return node_ == nullptr; }

  // Exceptions of a where() function pass through.
  bool accepts(const Event& event) const { return node_ == nullptr || node_->accepts(event); }
  bool operator()(const Event& event) const { return accepts(event); }

  // In words: `type is user.* and not from test`. Empty for an empty filter.
  std::string text() const {
    std::string out;
    if (node_ != nullptr) node_->describe(out, false);
    return out;
  }
  const detail::FilterNode* node() const { return node_; }

 private:
  detail::FilterNode* node_ = nullptr;
};

namespace detail {

enum class FilterJoin : std::uint8_t { all = 1, any = 2 };

struct JoinNode final : FilterNode {
  constexpr JoinNode(FilterJoin join, Filter left, Filter right)
      : join_(join), left_(std::move(left)), right_(std::move(right)) {}
  constexpr JoinNode(const JoinNode&) = default;
  constexpr ~JoinNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new JoinNode(*this); }
  bool accepts(const Event& event) const override {
    return join_ == FilterJoin::all ? left_(event) && right_(event) : left_(event) || right_(event);
  }
  void describe(std::string& out, bool nested) const override {
    if (nested) out += '(';
    describe_side(out, left_);
    out += join_ == FilterJoin::all ? " and " : " or ";
    describe_side(out, right_);
    if (nested) out += ')';
  }
  int join() const override { return static_cast<int>(join_); }

 private:
  void describe_side(std::string& out, const Filter& side) const {
    side.node()->describe(out, side.node()->join() != 0 && side.node()->join() != join());
  }

  FilterJoin join_;
  Filter left_;
  Filter right_;
};

struct NotNode final : FilterNode {
  constexpr explicit NotNode(Filter inner) : inner_(std::move(inner)) {}
  constexpr NotNode(const NotNode&) = default;
  constexpr ~NotNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new NotNode(*this); }
  bool accepts(const Event& event) const override { return !inner_(event); }
  void describe(std::string& out, bool) const override {
    out += "not ";
    if (inner_.empty()) {
      out += "anything";
    } else {
      inner_.node()->describe(out, true);
    }
  }

 private:
  Filter inner_;
};

// One field of the event compared with a text or a pattern.
enum class FilterField : std::uint8_t { type, source, subject, key, correlation };

struct FieldNode final : FilterNode {
  constexpr FieldNode(FilterField field, std::string_view value) : field_(field), value_(value) {}
  constexpr FieldNode(const FieldNode&) = default;
  constexpr ~FieldNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new FieldNode(*this); }
  bool accepts(const Event& event) const override {
    switch (field_) {
      case FilterField::type:
        return pattern_matches(value_.view(), event.type());
      case FilterField::source:
        return event.source() == value_.view();
      case FilterField::subject:
        return event.subject() == value_.view();
      case FilterField::key:
        return event.key() == value_.view();
      case FilterField::correlation:
        return event.correlation_id() == value_.view();
    }
    return false;
  }
  void describe(std::string& out, bool) const override {
    constexpr std::string_view kWords[] = {"type is ", "from ", "subject is ", "key is ", "correlation is "};
    out += kWords[static_cast<std::size_t>(field_)];
    out += value_.view();
  }

 private:
  FilterField field_;
  FilterText value_;
};

struct MetadataNode final : FilterNode {
  constexpr MetadataNode(std::string_view key, std::string_view value, bool any)
      : key_(key), value_(value), any_(any) {}
  constexpr MetadataNode(const MetadataNode&) = default;
  constexpr ~MetadataNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new MetadataNode(*this); }
  bool accepts(const Event& event) const override {
    const auto found = event.metadata(key_.view());
    return found && (any_ || *found == value_.view());
  }
  void describe(std::string& out, bool) const override {
    out += "metadata ";
    out += key_.view();
    if (any_) {
      out += " is set";
    } else {
      out += " is ";
      out += value_.view();
    }
  }

 private:
  FilterText key_;
  FilterText value_;
  bool any_;
};

struct PriorityNode final : FilterNode {
  constexpr explicit PriorityNode(std::int32_t least) : least_(least) {}
  constexpr PriorityNode(const PriorityNode&) = default;
  constexpr ~PriorityNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new PriorityNode(*this); }
  bool accepts(const Event& event) const override { return event.priority() >= least_; }
  void describe(std::string& out, bool) const override { out += "priority at least " + std::to_string(least_); }

 private:
  std::int32_t least_;
};

template <class T, class F>
struct WhereNode final : FilterNode {
  constexpr WhereNode(F function, std::string_view words) : function_(std::move(function)), words_(words) {}
  constexpr WhereNode(const WhereNode&) = default;
  constexpr ~WhereNode() override {}  // spelled out: gcc 12 cannot use a defaulted one while compiling
  constexpr FilterNode* clone() const override { return new WhereNode(*this); }
  bool accepts(const Event& event) const override {
    if constexpr (std::is_void_v<T>) {
      return static_cast<bool>(function_(event));
    } else {
      return static_cast<bool>(function_(event.as<T>()));
    }
  }
  void describe(std::string& out, bool) const override { out += words_.view(); }

 private:
  F function_;
  FilterText words_;
};

}  // namespace detail

// The makers. They can be named as nexus::type_is(...), and without nexus:: in the options of NEXUS_ON.
inline namespace words {

// The type matches a pattern; throws Error if it is no pattern.
constexpr Filter type_is(std::string_view pattern) {
  if (!is_pattern(pattern))
    throw Error(NEXUS_E_PATTERN, std::string("type_is() takes a pattern like user.* or *.error"));
  return Filter(new detail::FieldNode(detail::FilterField::type, pattern));
}

// Emitted by the plugin of this id.
constexpr Filter from(std::string_view plugin_id) {
  return Filter(new detail::FieldNode(detail::FilterField::source, plugin_id));
}

constexpr Filter subject_is(std::string_view subject) {
  return Filter(new detail::FieldNode(detail::FilterField::subject, subject));
}

constexpr Filter key_is(std::string_view key) { return Filter(new detail::FieldNode(detail::FilterField::key, key)); }

constexpr Filter correlation_is(std::string_view correlation_id) {
  return Filter(new detail::FieldNode(detail::FilterField::correlation, correlation_id));
}

// The metadata has this text under this key.
constexpr Filter metadata(std::string_view key, std::string_view value) {
  return Filter(new detail::MetadataNode(key, value, false));
}

// The metadata has some text under this key.
constexpr Filter metadata(std::string_view key) { return Filter(new detail::MetadataNode(key, "", true)); }

constexpr Filter priority_at_least(std::int32_t priority) { return Filter(new detail::PriorityNode(priority)); }

// A function of your own: where([](const Event& e) {...}), or where<OrderCreated>([](const OrderCreated& o) {...}),
// which reads the data first. It must not call the host. `described_as` is what tools show.
template <class T = void, class F>
constexpr Filter where(F function, std::string_view described_as = "a function") {
  if constexpr (std::is_void_v<T>) {
    static_assert(std::is_invocable_r_v<bool, const F&, const Event&>,
                  "where(f) takes a function of const nexus::Event& that returns bool");
  } else {
    static_assert(std::is_invocable_r_v<bool, const F&, const T&>,
                  "where<T>(f) takes a function of const T& that returns bool");
  }
  return Filter(new detail::WhereNode<T, F>(std::move(function), described_as));
}

// All of them; with none, every event.
template <std::same_as<Filter>... Filters>
constexpr Filter all_of(Filters... filters);

// At least one of them; with none, no event.
template <std::same_as<Filter>... Filters>
constexpr Filter any_of(Filters... filters);

}  // namespace words

constexpr Filter operator&&(Filter left, Filter right) {
  if (left.empty()) return right;
  if (right.empty()) return left;
  return Filter(new detail::JoinNode(detail::FilterJoin::all, std::move(left), std::move(right)));
}

// An empty filter takes everything, so either side being empty makes the whole empty.
constexpr Filter operator||(Filter left, Filter right) {
  if (left.empty()) return left;
  if (right.empty()) return right;
  return Filter(new detail::JoinNode(detail::FilterJoin::any, std::move(left), std::move(right)));
}

constexpr Filter operator!(Filter filter) { return Filter(new detail::NotNode(std::move(filter))); }

inline namespace words {

template <std::same_as<Filter>... Filters>
constexpr Filter all_of(Filters... filters) {
  Filter all;
  ((all = std::move(all) && std::move(filters)), ...);
  return all;
}

template <std::same_as<Filter>... Filters>
constexpr Filter any_of(Filters... filters) {
  if constexpr (sizeof...(Filters) == 0) {
    return !Filter();
  } else {
    return (std::move(filters) || ...);
  }
}

}  // namespace words

// For lists that are only known when running.
inline Filter all_of(std::span<const Filter> filters) {
  Filter all;
  for (const Filter& filter : filters) all = std::move(all) && filter;
  return all;
}

inline Filter any_of(std::span<const Filter> filters) {
  if (filters.empty()) return !Filter();
  Filter any = filters.front();
  for (const Filter& filter : filters.subspan(1)) any = std::move(any) || filter;
  return any;
}

}  // namespace nexus
