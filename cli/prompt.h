// Asking the person at the terminal.
#pragma once

#include <atomic>
#include <string>

namespace cbuild::cli {

// Prints `prompt` on standard error and reads a line from standard input,
// without its end. Throws Interrupted once `*stop` is set.
std::string ask(const std::string& prompt, const std::atomic<bool>* stop);

// The same without showing what is typed.
std::string ask_secretly(const std::string& prompt,
                         const std::atomic<bool>* stop);

}  // namespace cbuild::cli
