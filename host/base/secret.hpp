// What must not be printed: values that were registered as secrets (passwords from the config), and fields whose names
// say that they hold one. Process-wide; any thread. A host never forgets a value, so that late lines are covered too.
#pragma once

#include <string>
#include <string_view>

namespace nexus::host {

inline constexpr std::string_view kSecretMark = "***";

// From now on redact() replaces this value. Values of fewer than 4 bytes are not taken: they would blot out ordinary
// text and protect nothing.
void register_secret(std::string_view value);

// Empties the registry: for tests and fuzz targets, which make up secrets without end.
void forget_secrets();

// Whether `text` holds a registered value; cheap while there are none.
bool holds_secret(std::string_view text);

// `text` with every registered value replaced by ***; where several overlap the longest wins.
std::string redact(std::string_view text);

// True for names like password, db_passwd, api-key, accessToken, client_secret, credentials, private_key, dsn.
bool is_secret_name(std::string_view name);

// The password in a URL's user part, or behind `password=` in a connection string; empty where there is none.
std::string_view password_of_url(std::string_view url);

}  // namespace nexus::host
