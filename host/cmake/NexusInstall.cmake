# Where the host goes: bin/nexus, lib/nexus/plugins, etc/nexus/nexus.toml, a systemd unit; and the packages made of it
# (./dev package). The component `host` is the .deb, the component `sdk` is the archive for plugin authors.
include_guard(GLOBAL)
include(GNUInstallDirs)

if(TARGET nexus)
  install(TARGETS nexus RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT host)
endif()

# Every plugin of the tree that is not a test's.
set(nexus_plugin_dir lib/nexus/plugins)
get_property(nexus_plugin_folders DIRECTORY ${CMAKE_SOURCE_DIR}/plugins PROPERTY SUBDIRECTORIES)
foreach(folder ${nexus_plugin_folders})
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "MODULE_LIBRARY")
      install(TARGETS ${target} LIBRARY DESTINATION ${nexus_plugin_dir} COMPONENT host)
    endif()
  endforeach()
endforeach()

# The service's config is the one of config/, with the plugin folder of this installation.
set(nexus_service_config ${CMAKE_SOURCE_DIR}/config/service.toml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${nexus_service_config})
file(READ ${nexus_service_config} text)
string(REPLACE "/usr/lib/nexus/plugins" "${CMAKE_INSTALL_PREFIX}/${nexus_plugin_dir}" text "${text}")
string(REPLACE "\"/usr/local/lib/nexus/plugins\", \"/usr/local/lib/nexus/plugins\"" "\"/usr/local/lib/nexus/plugins\"" text "${text}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/install/nexus.toml CONTENT "${text}" @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/nexus.service.in ${CMAKE_BINARY_DIR}/install/nexus.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/install/nexus.toml DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/nexus COMPONENT host)
install(DIRECTORY DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/nexus/conf.d COMPONENT host)
install(FILES ${CMAKE_BINARY_DIR}/install/nexus.service DESTINATION lib/systemd/system COMPONENT host)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nexus COMPONENT host OPTIONAL)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nexus RENAME copyright COMPONENT host)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nexus/config COMPONENT host
  OPTIONAL FILES_MATCHING PATTERN "*.toml" PATTERN "README.md")

set(CPACK_PACKAGE_NAME nexus)
set(CPACK_PACKAGE_VENDOR Nexus)
set(CPACK_PACKAGE_CONTACT "The Nexus authors <nexus@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${CMAKE_PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_COMPONENTS_ALL host sdk)
set(CPACK_STRIP_FILES ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/NexusPackage.cmake)
include(CPack)
