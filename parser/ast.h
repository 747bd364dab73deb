// The tree a Dockerfile is parsed to. Data only.
//
// Text is as written except that continuation lines are joined and comments are
// gone: $VAR is not expanded and quotes are not removed. parser/expand.h does
// that, for the fields that are a Word; nothing else looks inside one.
// (Dockerfile reference; exact rules: reference/peers.md section 1.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cbuild::parser {

// Half-open range of bytes in the Dockerfile; offsets are 0-based. Line and
// column (1-based) are computed only when something is printed (source.h).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

// To be expanded before use.
struct Word {
  std::string raw;
  Span span;
  bool operator==(const Word&) const = default;
};

struct Heredoc {
  std::string name;
  std::string content;  // without the end line; leading tabs gone if `chomp`
  std::string written;  // the same with its tabs: for a shell that reads it
  bool expand = true;   // false: the word was quoted
  bool chomp = false;   // <<-
  unsigned descriptor = 0;
  bool operator==(const Heredoc&) const = default;
};

// What RUN, CMD, ENTRYPOINT and HEALTHCHECK CMD start. Never expanded.
struct Command {
  // Shell form: one element, given to SHELL; it is empty for a bare `RUN`.
  bool shell = true;
  std::vector<std::string> argv;  // exec form: the JSON array
  bool operator==(const Command&) const = default;
};

struct KeyValue {
  Word key;
  Word value;
  bool legacy = false;  // ENV k v
  bool operator==(const KeyValue&) const = default;
};

struct ArgDeclaration {
  Word name;
  std::optional<Word> value;
  std::string doc;  // the doc comment above ARG
  bool operator==(const ArgDeclaration&) const = default;
};

struct From {
  Word base;
  std::optional<Word> platform;
  std::string name;  // lower case; empty without AS
  Span name_span;
  bool operator==(const From&) const = default;
};

struct Run {
  Command command;                // shell form: the line without heredoc bodies
  std::vector<Word> mounts;       // --mount values, see mount.h
  std::string network;            // "" | default | none | host
  std::string security;           // "" | sandbox | insecure
  std::vector<Word> devices;
  std::vector<Heredoc> heredocs;
  bool operator==(const Run&) const = default;
};

struct Cmd {
  Command command;
  bool operator==(const Cmd&) const = default;
};

struct Entrypoint {
  Command command;
  bool operator==(const Entrypoint&) const = default;
};

// COPY and ADD. A source that is a heredoc is in `heredocs` and not in
// `sources`.
struct Copy {
  bool add = false;                // ADD
  std::vector<Word> sources;
  std::vector<Heredoc> heredocs;
  Word destination;
  std::string from;                // COPY --from, as written; empty: context
  Span from_span;
  std::optional<Word> chown;
  std::optional<Word> chmod;
  bool link = false;
  bool parents = false;
  std::vector<std::string> exclude;
  std::optional<Word> checksum;    // ADD
  std::optional<bool> keep_git_dir;  // ADD
  std::optional<bool> unpack;      // ADD
  bool operator==(const Copy&) const = default;
};

struct Env {
  std::vector<KeyValue> pairs;
  bool operator==(const Env&) const = default;
};

struct Label {
  std::vector<KeyValue> pairs;
  bool operator==(const Label&) const = default;
};

struct Arg {
  std::vector<ArgDeclaration> declarations;
  bool operator==(const Arg&) const = default;
};

struct Expose {
  std::vector<Word> ports;
  bool operator==(const Expose&) const = default;
};

struct Volume {
  std::vector<Word> paths;
  bool operator==(const Volume&) const = default;
};

struct User {
  Word user;
  bool operator==(const User&) const = default;
};

struct Workdir {
  Word path;
  bool operator==(const Workdir&) const = default;
};

struct StopSignal {
  Word signal;
  bool operator==(const StopSignal&) const = default;
};

struct Healthcheck {
  std::vector<std::string> test;  // {"NONE"}, {"CMD", ...}, {"CMD-SHELL", text}
  // Nanoseconds; 0 where the flag is not given.
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct Shell {
  std::vector<std::string> argv;
  bool operator==(const Shell&) const = default;
};

struct Onbuild {
  std::string expression;  // as it is stored in the image: heredocs appended
  bool operator==(const Onbuild&) const = default;
};

struct Maintainer {
  std::string name;
  bool operator==(const Maintainer&) const = default;
};

using Node = std::variant<From, Run, Cmd, Entrypoint, Copy, Env, Label, Arg,
                          Expose, Volume, User, Workdir, StopSignal,
                          Healthcheck, Shell, Onbuild, Maintainer>;

// One instruction. Every visitor lists all alternatives; none has a catch-all,
// so that adding one here makes each place that must handle it fail to compile.
struct Instruction {
  Span span;  // the whole logical line, continuations and heredocs included
  std::string keyword;   // as written ("run")
  std::string original;  // the logical line as written, continuations joined
  std::vector<std::string> comments;  // comment lines right above, without #
  Node node;
  bool operator==(const Instruction&) const = default;
};

struct Stage {
  Instruction from;  // node is a From
  std::vector<Instruction> instructions;
  std::string doc;  // the doc comment above FROM
};

struct Directives {
  std::string syntax;  // frontend image, or empty
  std::string check;   // value of `# check=`, or empty
  char escape = '\\';
};

// Something worth telling that is no error.
struct Warning {
  std::string rule;  // BuildKit's rule name
  std::string message;
  Span span;
  std::vector<std::string> comments;  // of its instruction, where they count
};

struct ParsedFile {
  Directives directives;
  std::vector<Instruction> global_args;  // ARGs before the first FROM
  std::vector<Stage> stages;
  std::vector<Warning> warnings;
};

}  // namespace cbuild::parser
