// The typed event of J7: five fields, as a plugin author writes them.
#pragma once

#include <cstdint>
#include <nexus/plugin.hpp>
#include <string>

namespace nexus::bench {

struct OrderCreated {
  std::string order_id;
  std::string user_id;
  double total_amount = 0;
  int64_t quantity = 0;
  std::string currency = "USD";
};
NEXUS_EVENT(OrderCreated, "order.created", order_id, user_id, total_amount, quantity, currency)

}  // namespace nexus::bench
