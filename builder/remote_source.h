// Sources that are on no disk of ours until they are wanted: what ADD and
// --build-context take from the network. Data only; builder/remote_sources.h
// fetches them.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "builder/git_reference.h"
#include "store/digest.h"

namespace cbuild::builder {

// A file from an http(s) URL.
struct WebFile {
  std::string url;
  std::string name;  // of the file that it becomes
  std::optional<store::Digest> checksum;
};

// A file, or the files of a commit.
using RemoteSource = std::variant<WebFile, GitReference>;

}  // namespace cbuild::builder
