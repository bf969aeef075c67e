// The probe's child without the rest of the host, so that a test of the gate need not link all of it.
#include "host/plugin/probe.hpp"

int main(int argc, char** argv) { return nexus::host::probe_main(argc, argv); }
