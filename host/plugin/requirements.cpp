#include "host/plugin/requirements.hpp"

#include <algorithm>
#include <set>

#include "host/plugin/version.hpp"

namespace nexus::host {
namespace {

std::string range_text(const ModuleRequirement& requirement) {
  return requirement.version.empty() ? std::string() : " " + requirement.version;
}

Error missing(const ModuleInfo& module, const ModuleRequirement& requirement) {
  return make_error(NEXUS_E_LOAD_REQUIRES,
                    module.id + " requires " + requirement.id + range_text(requirement) + ", which is not loaded",
                    "put " + requirement.id + " into the plugin folder; this plugin is loaded as soon as it is there");
}

class Planner {
 public:
  // The running ones follow the wanted ones as nodes: they are never at fault, but a circle may go through them.
  Planner(const std::vector<const ModuleInfo*>& wanted, const RunningModules& running)
      : wanted_count_(wanted.size()), nodes_(wanted) {
    plan_.fault.resize(wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) by_id_[wanted[i]->id] = i;
    for (const auto& [id, module] : running) {
      if (by_id_.emplace(id, nodes_.size()).second) nodes_.push_back(module);
    }
  }

  LoadPlan run() {
    for (size_t i = 0; i < wanted_count_; ++i) plan_.fault[i] = own_fault(*nodes_[i]);
    mark_.assign(nodes_.size(), Mark::fresh);
    for (size_t i = 0; i < wanted_count_; ++i) {
      if (mark_[i] == Mark::fresh) find_cycles(i);
    }
    spread_faults();
    early_.assign(nodes_.size(), false);
    for (size_t i = 0; i < wanted_count_; ++i) {
      if (nodes_[i]->provider()) make_early(i);
    }
    sort();
    return std::move(plan_);
  }

 private:
  enum class Mark { fresh, on_path, done };

  std::optional<Error> own_fault(const ModuleInfo& module) const {
    for (const ModuleRequirement& requirement : module.requirements) {
      const auto other = by_id_.find(requirement.id);
      if (other == by_id_.end()) return missing(module, requirement);
      const std::string& version = nodes_[other->second]->version;
      if (Result<void> fits = check_requirement(module, requirement, version); !fits) return fits.error();
    }
    return std::nullopt;
  }

  // Depth first, without recursion: the depth is up to whoever wrote the files.
  void find_cycles(size_t root) {
    struct Step {
      size_t node;
      size_t next;
    };
    std::vector<Step> path = {{root, 0}};
    mark_[root] = Mark::on_path;
    while (!path.empty()) {
      Step& step = path.back();
      const std::vector<ModuleRequirement>& requirements = nodes_[step.node]->requirements;
      if (step.next == requirements.size()) {
        mark_[step.node] = Mark::done;
        path.pop_back();
        continue;
      }
      const auto other = by_id_.find(requirements[step.next++].id);
      if (other == by_id_.end()) continue;
      if (mark_[other->second] == Mark::fresh) {
        mark_[other->second] = Mark::on_path;
        path.push_back({other->second, 0});
      } else if (mark_[other->second] == Mark::on_path) {
        std::vector<size_t> circle;
        for (auto it = path.rbegin(); it != path.rend(); ++it) {
          circle.insert(circle.begin(), it->node);
          if (it->node == other->second) break;
        }
        report_cycle(circle);
      }
    }
  }

  // Each member is told the circle as seen from itself.
  void report_cycle(const std::vector<size_t>& circle) {
    for (size_t first = 0; first < circle.size(); ++first) {
      if (circle[first] >= wanted_count_) continue;
      std::optional<Error>& fault = plan_.fault[circle[first]];
      if (fault && fault->code == NEXUS_E_LOAD_CYCLE) continue;
      std::string text;
      for (size_t i = 0; i <= circle.size(); ++i) {
        if (i > 0) text += " → ";
        text += nodes_[circle[(first + i) % circle.size()]]->id;
      }
      fault = make_error(NEXUS_E_LOAD_CYCLE, "plugins require each other in a circle: " + text,
                         "take one of these requirements out; let the two talk by events");
    }
  }

  void spread_faults() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < wanted_count_; ++i) {
        if (plan_.fault[i]) continue;
        for (const ModuleRequirement& requirement : nodes_[i]->requirements) {
          const auto other = by_id_.find(requirement.id);
          if (other == by_id_.end() || other->second >= wanted_count_ || !plan_.fault[other->second]) continue;
          plan_.fault[i] = make_error(NEXUS_E_LOAD_REQUIRES,
                                      nodes_[i]->id + " requires " + requirement.id +
                                          ", which was refused: " + plan_.fault[other->second]->message,
                                      plan_.fault[other->second]->help);
          changed = true;
          break;
        }
      }
    }
  }

  void make_early(size_t root) {
    std::vector<size_t> open = {root};
    while (!open.empty()) {
      const size_t node = open.back();
      open.pop_back();
      if (early_[node]) continue;
      early_[node] = true;
      for (const ModuleRequirement& requirement : nodes_[node]->requirements) {
        if (const auto other = by_id_.find(requirement.id); other != by_id_.end()) open.push_back(other->second);
      }
    }
  }

  bool before(size_t a, size_t b) const {
    if (early_[a] != early_[b]) return early_[a];
    return nodes_[a]->id < nodes_[b]->id;
  }

  void sort() {
    std::set<std::string_view> placed;
    std::vector<size_t> left;
    for (size_t i = 0; i < wanted_count_; ++i) {
      if (!plan_.fault[i]) left.push_back(i);
    }
    std::sort(left.begin(), left.end(), [&](size_t a, size_t b) { return before(a, b); });
    auto ready = [&](size_t i) {
      const std::vector<ModuleRequirement>& requirements = nodes_[i]->requirements;
      return std::all_of(requirements.begin(), requirements.end(), [&](const ModuleRequirement& requirement) {
        const auto other = by_id_.find(requirement.id);
        return other == by_id_.end() || other->second >= wanted_count_ || placed.contains(requirement.id);
      });
    };
    while (!left.empty()) {
      const auto next = std::find_if(left.begin(), left.end(), ready);
      if (next == left.end()) return;  // cannot be: circles have been taken out
      placed.insert(nodes_[*next]->id);
      plan_.order.push_back(*next);
      left.erase(next);
    }
  }

  size_t wanted_count_;
  std::vector<const ModuleInfo*> nodes_;
  std::map<std::string, size_t, std::less<>> by_id_;
  std::vector<Mark> mark_;
  std::vector<bool> early_;
  LoadPlan plan_;
};

}  // namespace

LoadPlan plan_loads(const std::vector<const ModuleInfo*>& wanted, const RunningModules& running) {
  return Planner(wanted, running).run();
}

Result<void> check_requirements(const ModuleInfo& module, const RunningModules& running) {
  for (const ModuleRequirement& requirement : module.requirements) {
    const auto present = running.find(requirement.id);
    if (present == running.end()) return missing(module, requirement);
    if (Result<void> fits = check_requirement(module, requirement, present->second->version); !fits) return fits.error();
  }
  return {};
}

Result<void> check_requirement(const ModuleInfo& dependent, const ModuleRequirement& requirement,
                               std::string_view found_version) {
  const Result<VersionRange> range = VersionRange::parse(requirement.version);
  if (!range) return make_error(NEXUS_E_LOAD_REQUIRES, dependent.id + ": " + range.error().message, range.error().help);
  const Result<Version> version = parse_version(found_version);
  if (!version) return make_error(NEXUS_E_LOAD_REQUIRES, requirement.id + ": " + version.error().message);
  if (range->contains(*version)) return {};
  return make_error(NEXUS_E_LOAD_REQUIRES,
                    dependent.id + " requires " + requirement.id + range_text(requirement) + ", but its version is " +
                        std::string(found_version),
                    "install a version of " + requirement.id + " that fits, or widen the range");
}

}  // namespace nexus::host
