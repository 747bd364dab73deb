// What each instruction changes in the image's config and history.
//
// The texts of `created_by` are BuildKit's, which are Go's: %q for lists of
// strings, %v for the rest (reference/peers.md 1.10).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parser/ast.h"
#include "store/image.h"

namespace cbuild::builder {

inline constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The config of `FROM scratch`.
store::ImageConfig empty_image(const store::Platform& platform);

// Sets a variable in place, or appends it.
void set_env(std::vector<std::string>& env, const std::string& name,
             const std::string& value);

// Appends a history entry. `created` is filled in when the image is published.
void add_history(store::ImageConfig& image, std::string created_by,
                 bool empty_layer);

// The argv of a shell-form command: the image's SHELL or /bin/sh -c.
std::vector<std::string> with_shell(const store::ImageConfig& image,
                                    const std::string& script);

// Key and value already expanded.
using Pairs = std::vector<std::pair<std::string, std::string>>;
void apply_env(store::ImageConfig& image, const Pairs& pairs);
void apply_label(store::ImageConfig& image, const Pairs& pairs);
void apply_cmd(store::ImageConfig& image, const parser::Command& command);
// `keep_cmd`: CMD was set in this stage.
void apply_entrypoint(store::ImageConfig& image, const parser::Command& command,
                      bool keep_cmd);
void apply_healthcheck(store::ImageConfig& image,
                       const parser::Healthcheck& check);
void apply_user(store::ImageConfig& image, const std::string& user);
// Throws Error: VOLUME specified can not be an empty string.
void apply_volume(store::ImageConfig& image,
                  const std::vector<std::string>& paths);
// Throws Error: invalid signal: FOO.
void apply_stop_signal(store::ImageConfig& image, const std::string& signal);
void apply_shell(store::ImageConfig& image,
                 const std::vector<std::string>& argv);
// `ports` as parse_ports() gives them.
void apply_expose(store::ImageConfig& image,
                  const std::vector<std::string>& ports);
void apply_maintainer(store::ImageConfig& image, const std::string& name);

// A word of EXPOSE, "[ip:][host:]port[-port][/protocol]" (expose.cc).
struct PortWord {
  std::string ip;
  std::string host;
  std::string container;
  std::string protocol;  // as written; may be empty
};
// Throws Error: invalid port: "80/x": invalid proto: x.
PortWord split_port(const std::string& word);
// "port/proto" for each port of a word. Throws Error: invalid containerPort: x.
std::vector<std::string> parse_ports(const std::string& word);

// Joins a WORKDIR to the directory before it (util/system NormalizePath).
// `keep_slash` keeps a trailing "/" or "/." (COPY destinations).
std::string normalize_path(const std::string& parent, const std::string& path,
                           bool keep_slash);

}  // namespace cbuild::builder
