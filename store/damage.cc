#include "store/damage.h"

#include <mutex>
#include <utility>

namespace cbuild::store {
namespace {

std::mutex mutex;
DamageHandler handler;  // guarded by mutex

}  // namespace

DamageHandler on_damage(DamageHandler next) {
  const std::lock_guard lock(mutex);
  return std::exchange(handler, std::move(next));
}

void report_damage(const std::string& sentence) {
  const std::lock_guard lock(mutex);
  if (handler) handler(sentence);
}

}  // namespace cbuild::store
