// Client against Debian's docker-registry, with skopeo as the judge.

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "registry/errors.h"
#include "tests/registry/client_fixture.h"

using namespace cbuild;
using namespace cbuild::registry;
using test::LocalRegistry;
using State = TransferProgress::State;

namespace {

const store::Platform kAmd64{"linux", "amd64"};

Reference at(const LocalRegistry& registry, const std::string& name) {
  return Reference::parse(registry.host() + "/" + name);
}

void pull_and_compare(Workplace& here, const store::Image& image,
                      const Reference& from, ClientOptions options = quick()) {
  const auto elsewhere = here.second_store();
  Client client(std::move(options));
  const store::Image pulled = client.resolve(*elsewhere, from, kAmd64);
  CHECK(pulled.descriptor.digest == image.descriptor.digest);
  CHECK(pulled.config.diff_ids == image.config.diff_ids);
  for (const store::Descriptor& layer : image.manifest.layers)
    CHECK(!elsewhere->blobs.size(layer.digest));
  client.fetch_layers(*elsewhere, from, pulled);
  for (const store::Descriptor& layer : image.manifest.layers)
    CHECK(elsewhere->blobs.read(layer.digest) ==
          here.store.blobs.read(layer.digest));
  CHECK(elsewhere->images.load(pulled.descriptor).manifest.layers.size() ==
        image.manifest.layers.size());
}

std::string htpasswd_config(const LocalRegistry& registry,
                            const std::string& auth) {
  return R"({"auths": {")" + registry.host() + R"(": {"auth": ")" + auth +
         "\"}}}";
}

}  // namespace

TEST_CASE("what is pushed can be pulled elsewhere, byte for byte") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry;
  Workplace here;
  const store::Image image =
      make_image(here.store, {"one", noise(3 << 20), "three", "one"});
  const Reference to = at(registry, "team/app:1");
  CHECK(Client(quick()).push(here.store, image, to) == image.descriptor.digest);
  pull_and_compare(here, image, to);
  pull_and_compare(
      here, image,
      at(registry, "team/app").with_digest(image.descriptor.digest));
}

TEST_CASE("skopeo reads what was pushed, and we read what skopeo pushed") {
  if (!LocalRegistry::available()) return;
  if (!test::has_program("skopeo")) {
    WARN("SKIPPED: no skopeo here");
    return;
  }
  const LocalRegistry registry;
  Workplace here;
  const store::Image image = make_image(here.store, {"one", noise(100'000)});
  push_to(here.store, image, at(registry, "app:1"));
  const std::string remote = "docker://" + registry.host() + "/app:1";
  const test::Finished inspect =
      test::run_program({"skopeo", "inspect", "--tls-verify=false", remote});
  INFO(inspect.output);
  REQUIRE(inspect.exit_code == 0);
  CHECK(nlohmann::json::parse(inspect.output)["Digest"] ==
        image.descriptor.digest.text());

  // Through skopeo to schema 2, with layers that it compressed, and back.
  const test::Finished copy = test::run_program(
      {"skopeo", "copy", "--format=v2s2", "--src-tls-verify=false",
       "--dest-tls-verify=false", "--dest-compress-format=gzip", remote,
       "docker://" + registry.host() + "/copy:1"});
  INFO(copy.output);
  REQUIRE(copy.exit_code == 0);
  Client client(quick());
  const auto elsewhere = here.second_store();
  const Reference from = at(registry, "copy:1");
  const store::Image pulled = client.resolve(*elsewhere, from, kAmd64);
  CHECK(pulled.descriptor.media_type == store::media::kDockerManifest);
  CHECK(pulled.config.diff_ids == image.config.diff_ids);
  client.fetch_layers(*elsewhere, from, pulled);
}

TEST_CASE("a second push sends no layer, nor does one to a sibling") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry;
  Workplace here;
  const store::Image image = make_image(here.store, {"one", "two"});
  Client client(quick());
  client.push(here.store, image, at(registry, "app:1"));
  std::vector<State> states;
  const TransferSink record = [&](const TransferProgress& progress) {
    states.push_back(progress.state);
  };
  ClientOptions one_by_one = quick();
  one_by_one.parallel = 1;
  Client(one_by_one).push(here.store, image, at(registry, "app:2"), record);
  CHECK(states == std::vector<State>(3, State::exists));

  // Another repository: mounted, because the store's names tell of the first.
  states.clear();
  const Reference first = at(registry, "app:1");
  here.store.images.tag({{first.text(), first.familiar()}}, image.descriptor);
  Client(one_by_one).push(here.store, image, at(registry, "team/b:1"), record);
  CHECK(states == std::vector<State>(3, State::exists));
  CHECK(registry.log().find("mount=sha256") != std::string::npos);
  pull_and_compare(here, image, at(registry, "team/b:1"));
}

TEST_CASE("of an index the wanted platform is taken") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry;
  Workplace here;
  Client client(quick());
  store::Index index{.media_type = store::media::kOciIndex};
  for (const char* arch : {"arm64", "amd64"}) {
    store::Image image = make_image(here.store, {arch}, {"linux", arch});
    client.push(here.store, image,
                at(registry, "multi").with_digest(image.descriptor.digest));
    image.descriptor.platform = image.config.platform;
    index.manifests.push_back(image.descriptor);
  }
  const std::string file = here.directory.path() + "/index";
  const Fd out = open_path(file, O_WRONLY | O_CREAT, 0600);
  write_all(out.get(), store::to_json(index), file);
  const test::Finished put = test::run_program(
      {"curl", "-sS", "-X", "PUT", "-H",
       std::string("Content-Type: ") + store::media::kOciIndex, "--data-binary",
       "@" + file, "http://" + registry.host() + "/v2/multi/manifests/1"});
  REQUIRE(put.output.empty());

  const auto elsewhere = here.second_store();
  const Reference from = at(registry, "multi:1");
  for (const store::Descriptor& entry : index.manifests) {
    const store::Image got = client.resolve(*elsewhere, from, *entry.platform);
    CHECK(got.descriptor.digest == entry.digest);
    CHECK(got.config.platform == *entry.platform);
  }
  CHECK_THROWS_WITH(
      client.resolve(*elsewhere, from, store::parse_platform("linux/s390x")),
      Catch::Contains("no image for platform linux/s390x; there is "
                      "linux/arm64, linux/amd64"));
}

TEST_CASE("what is not there is said to be not found") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry;
  Workplace here;
  Client client(quick());
  try {
    client.resolve(here.store, at(registry, "nothing:1"), kAmd64);
    FAIL("found");
  } catch (const RegistryError& e) {
    CHECK(e.status() == 404);
    CHECK(e.code() == "MANIFEST_UNKNOWN");
    CHECK(std::string(e.what()) ==
          registry.host() + "/nothing:1: not found: " + registry.host() +
              " answered 404 (MANIFEST_UNKNOWN): manifest unknown");
  }
}

TEST_CASE("a layer that is nowhere stops a push and is named") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry;
  Workplace here;
  const store::Image image = make_image(here.store, {"one"});
  here.store.blobs.remove(image.manifest.layers[0].digest);
  CHECK_THROWS_WITH(
      push_to(here.store, image, at(registry, "app:1")),
      Catch::Contains("layer " + image.manifest.layers[0].digest.short_text() +
                      ": not in the store"));
}

TEST_CASE("TLS by a private authority works with its file, and says so") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry({.tls = true});
  Workplace here;
  const store::Image image = make_image(here.store, {"one", "two"});
  const Reference to = at(registry, "app:1");
  CHECK_THROWS_WITH(
      Client(quick()).push(here.store, image, to),
      Catch::Contains("cannot be trusted") && Catch::Contains("--tls-ca"));

  ClientOptions trusting = quick();
  trusting.ca_files = {registry.ca_file()};
  Client(trusting).push(here.store, image, to);
  pull_and_compare(here, image, to, trusting);

  ClientOptions careless = quick();
  careless.insecure = true;
  CHECK_NOTHROW(Client(careless).push(here.store, image, to));

  const test::Environment environment{{{"SSL_CERT_FILE", registry.ca_file()}}};
  CHECK_NOTHROW(Client(quick()).push(here.store, image, to));
}

TEST_CASE("certificates of certs.d are trusted for their host") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry({.tls = true});
  Workplace here;
  const test::Environment environment{{{"HOME", here.directory.path()}}};
  const std::string certs =
      here.directory.path() + "/.docker/certs.d/" + registry.host();
  make_dirs(certs);
  const Fd directory = open_path(certs, O_RDONLY | O_DIRECTORY);
  replace_file_at(directory.get(), "ca.crt",
                  read_file(registry.ca_file()).value(), false);
  const store::Image image = make_image(here.store, {"one"});
  const Reference to = at(registry, "app:1");
  CHECK_NOTHROW(push_to(here.store, image, to));

  replace_file_at(directory.get(), "me.cert", "x", false);
  CHECK_THROWS_WITH(push_to(here.store, image, to),
                    Catch::Contains("its key me.key is missing"));
}

TEST_CASE("a password over TLS is asked for, used, and refused by name") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry registry(
      {.tls = true, .user = "ann", .password = "sesame"});
  Workplace here;
  ClientOptions options = quick();
  options.ca_files = {registry.ca_file()};
  const store::Image image = make_image(here.store, {"one", noise(1 << 20)});
  const Reference to = at(registry, "app:1");
  CHECK_THROWS_AS(Client(options).push(here.store, image, to),
                  CredentialsError);
  CHECK_THROWS_WITH(Client(options).push(here.store, image, to),
                    Catch::Contains("cbuild login " + registry.host()));

  here.write_config(htpasswd_config(registry, "YW5uOndyb25n"));  // ann:wrong
  CHECK_THROWS_WITH(Client(options).push(here.store, image, to),
                    Catch::Contains("denied for user ann from " +
                                    here.directory.path() + "/config.json"));

  here.write_config(htpasswd_config(registry, "YW5uOnNlc2FtZQ=="));
  Client(options).push(here.store, image, to);
  pull_and_compare(here, image, to, options);

  CHECK_NOTHROW(Client(options).check_push(to));

  CHECK_NOTHROW(Client(options).check_login(
      registry.host(), {.username = "ann", .password = "sesame"}));
  CHECK_THROWS_AS(Client(options).check_login(
                      registry.host(),
                      {.username = "ann", .password = "x", .source = "you"}),
                  CredentialsError);
}

TEST_CASE(
    "whether a push would be refused is known before, and leaves nothing") {
  if (!LocalRegistry::available()) return;
  const LocalRegistry open;
  const LocalRegistry closed({.user = "ann", .password = "sesame"});
  const Workplace here;
  Client client(quick());
  CHECK_NOTHROW(client.check_push(at(open, "team/app:1")));
  CHECK(test::run_program({"find", open.storage(), "-name", "data"})
            .output.empty());
  CHECK_THROWS_AS(client.check_push(at(closed, "team/app:1")),
                  CredentialsError);
}
