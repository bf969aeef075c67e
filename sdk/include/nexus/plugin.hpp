// The one header that a plugin includes: the base class, NEXUS_EVENT and NEXUS_CONFIG, NEXUS_ON and NEXUS_PLUGIN.
#pragma once

#include "nexus/plugin_base.hpp"
#include "nexus/registration.hpp"
#include "nexus/schema.hpp"
