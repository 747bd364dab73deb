// The build context and the named ones (--build-context).
//
// Opened when first asked for; a Dockerfile without COPY never looks at its
// context. Only directories and docker-image:// are understood today; other
// kinds are refused when the command line is read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/file_view.h"
#include "builder/plan.h"

namespace cbuild::builder {

// The Dockerfile's text and where it came from.
struct DockerfileText {
  std::string name;  // as shown in messages
  std::string path;  // empty where it is no file
  std::string text;
};

// `-f`, else Dockerfile, else dockerfile in the context. Throws UsageError.
DockerfileText read_dockerfile(const BuildRequest& request);

class Contexts {
 public:
  // Throws UsageError for a directory that is none and for kinds that are not
  // supported.
  Contexts(const BuildRequest& request, const DockerfileText& dockerfile,
           const std::string& stat_table_dir);

  // The build context with its ignore file: <Dockerfile>.dockerignore, else
  // <context>/.dockerignore.
  FileOrigin main();

  // The ignore patterns of the build context, and where each one stands:
  // ".dockerignore:3".
  struct Ignore {
    std::vector<std::string> patterns;
    std::vector<std::string> places;
  };
  const Ignore& main_ignore();

  // A named context that is a directory, or nullopt. `name` is a stage's or an
  // image's; images are compared in their familiar form without :latest.
  std::optional<FileOrigin> directory(const std::string& name);
  // The image a named context stands for (docker-image://), or nullopt.
  std::optional<std::string> image(const std::string& name) const;

  // Names in lower case, for the stage graph.
  std::set<std::string> names() const;

  // Writes the stat tables of the contexts that were looked at.
  void save() const;

 private:
  static Ignore read_ignore(const std::string& path, const std::string& name);

  FileOrigin open(const std::string& directory, const Ignore& ignore);
  const std::string* find(const std::string& name) const;

  std::string directory_;
  std::string dockerfile_path_;
  ContextMode mode_;
  std::string stat_table_dir_;
  std::map<std::string, std::string> named_;
  std::map<std::string, FileOrigin> opened_;
  std::optional<Ignore> main_ignore_;
};

}  // namespace cbuild::builder
