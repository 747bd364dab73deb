#include "builder/stand_back.h"

#include <sched.h>

namespace cbuild::builder {

void stand_back() noexcept {
  const sched_param none = {};
  static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
}

}  // namespace cbuild::builder
