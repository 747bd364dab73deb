// The layers of a file system, lowest first.
//
// Steps on top of each other have chains that begin alike: of a thousand steps
// they are half a million ids, and making and comparing so many strings takes a
// cached build most of its time. So a chain is one text that its copies share,
// and ids are cut out of it where somebody wants them. Immutable; thread-safe.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace cbuild::store {

using LayerId = std::string;

class Chain {
 public:
  Chain() = default;
  Chain(std::initializer_list<LayerId> ids) : Chain(std::vector(ids)) {}
  Chain(const std::vector<LayerId>& ids);
  // What text() gave.
  static Chain parse(std::string text);

  // Its ids, a blank between each two.
  const std::string& text() const;
  bool empty() const { return text().empty(); }
  std::vector<LayerId> ids() const { return beyond({}); }
  // The uppermost. The chain must not be empty.
  LayerId top() const;
  // Its ids above what it has in common with `other`.
  std::vector<LayerId> beyond(const Chain& other) const;

  Chain with(const Chain& above) const;
  Chain without_top() const;

  bool operator==(const Chain& other) const { return text() == other.text(); }

 private:
  std::shared_ptr<const std::string> text_;  // empty for no layers
};

}  // namespace cbuild::store
