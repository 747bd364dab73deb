// YAML as the JSON text that means the same, as Kubernetes' and CDI's libraries
// read it (sigs.k8s.io/yaml: YAML 1.1, one document).
//
// Plain words are booleans, numbers (0644 and 0x1a4 too) or null where they
// look so. Anchors are expanded; keys must be scalars. Of tags only !!str and
// !!binary change anything: they make a string. Nesting beyond 64 and an
// expansion beyond a million values are refused.
#pragma once

#include <string>
#include <string_view>

namespace cbuild::builder {

// Throws Error with line and column.
std::string yaml_to_json(std::string_view yaml);

}  // namespace cbuild::builder
