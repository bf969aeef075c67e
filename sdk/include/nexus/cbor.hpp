// CBOR (RFC 8949), the format of every event's data: Buffer and Writer to make it, Reader and check() to take it apart,
// Value to hold any of it. Standard library only; no threads, no globals.
#pragma once

#include "nexus/cbor_buffer.hpp"
#include "nexus/cbor_reader.hpp"
#include "nexus/cbor_utf8.hpp"
#include "nexus/cbor_value.hpp"
#include "nexus/cbor_writer.hpp"
