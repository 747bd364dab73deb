// Platforms as the OCI image specification and containerd name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cbuild::store {

// os/arch[/variant]; an empty variant is none. Always normalised: x86_64 is
// amd64, aarch64 and arm64/v8 are arm64, arm alone is arm/v7, and so on
// (containerd platforms/database.go).
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
  std::vector<std::string> os_features;  // sorted

  // "linux/arm/v7"; version and features are left out.
  std::string text() const;
  bool operator==(const Platform&) const = default;
};

// Reads "linux/amd64", "arm64", "linux", "windows(10.0.17763)/amd64", ...; what
// is left out is taken from the machine, as containerd does. Throws Error for
// what is no platform.
Platform parse_platform(std::string_view text);

// As parse_platform, but not normalised: arm64/v8 keeps its variant. It is what
// a user's own words look like in a message.
Platform parse_specifier(std::string_view text);

Platform normalize(Platform platform);

// linux and the machine's architecture (uname).
Platform host_platform();

// True where an image for `have` runs on `want`, lower variants included:
// arm/v7 runs arm/v6.
bool serves(const Platform& have, const Platform& want);

// Index into `have` of the best image for `want`, or -1 (containerd's
// platforms.Only order: exact first, then falling variants).
int best_match(const std::vector<Platform>& have, const Platform& want);

}  // namespace cbuild::store
