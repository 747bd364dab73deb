// What a RUN costs besides its command; hidden, as it tests nothing:
//   test-runtime [.speed]
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <iostream>

#include "sandbox.h"

namespace cbuild::runtime {

TEST_CASE("speed: milliseconds for a RUN of true", "[.speed]") {
  NEED_SANDBOX();
  // As much memory in use as a build may have: the clone must not copy it.
  const std::vector<char> ballast(200 << 20, 1);
  for (const auto& [name, mode] : {std::pair("none", NetworkMode::none),
                                   std::pair("host", NetworkMode::host),
                                   std::pair("egress", NetworkMode::egress)}) {
    Sandbox sandbox;
    std::vector<double> times;
    for (int i = 0; i < 50; ++i) {
      RunSpec spec = sandbox.spec("");
      spec.argv = {"/bin/true"};
      spec.network = mode;
      const auto start = std::chrono::steady_clock::now();
      sandbox.run(spec);
      const std::chrono::duration<double, std::milli> taken =
          std::chrono::steady_clock::now() - start;
      times.push_back(taken.count());
    }
    const double first = times.front();
    std::sort(times.begin(), times.end());
    std::cout << name << ": first " << first << ", least " << times.front()
              << ", median " << times[times.size() / 2] << "\n";
  }
  CHECK(ballast.back() == 1);
}

}  // namespace cbuild::runtime
