#include "registry/reference.h"
#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

Json answer(const Json& question) {
  const auto reference =
      registry::Reference::parse(question.at("text").get<std::string>());
  Json result = {{"domain", reference.domain()},
                 {"path", reference.path()},
                 {"normalized", reference.text()},
                 {"familiar", reference.familiar()},
                 {"with_tag", reference.with_default_tag().text()}};
  if (reference.tag()) result["tag"] = *reference.tag();
  if (reference.digest()) result["digest"] = reference.digest()->text();
  if (!reference.other_digest().empty())
    result["digest"] = reference.other_digest();
  return result;
}

const Family family("reference", answer);

}  // namespace
}  // namespace cbuild::probe
