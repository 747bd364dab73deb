#include "builder/failures.h"

#include "base/text.h"

namespace cbuild::builder {

void tell_place(Error& error, const DockerfileText& file, parser::Span span) {
  // Assigns the base alone: what a derived class knows stays as it is.
  error = Error(parser::render(file.name, file.text, span, error.what()));
}

std::string suggest_image(const std::string& name,
                          std::vector<std::string> stages) {
  for (const char* image :
       {"alpine", "busybox", "centos", "debian", "fedora", "golang", "httpd",
        "mysql", "nginx", "node", "openjdk", "php", "postgres", "python",
        "redis", "ruby", "rust", "ubuntu"})
    stages.push_back(image);
  const std::size_t tag = std::min(name.rfind(':'), name.size());
  const std::string plain = name.substr(0, tag);
  const auto near = nearest(plain, stages);
  return near ? " (did you mean " + *near + name.substr(tag) + "?)" : "";
}

}  // namespace cbuild::builder
