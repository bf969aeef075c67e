// A dead letter as a CloudEvent in JSON: the event, and what is known of its failure as extension attributes (dlqid,
// dlqreason, dlqplugin, …), which `nexus emit` takes back as metadata. Pure; any thread.
#pragma once

#include <string>

#include "host/bus/dead_letters.hpp"

namespace nexus::host {

std::string letter_json(const DeadLetter& letter);

}  // namespace nexus::host
