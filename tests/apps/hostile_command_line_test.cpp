// Arguments that are misspelled or out of range, and files and folders without permissions.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/paths.h"

namespace melgrad::test {
namespace {

constexpr int cannot_run = 126;

TEST(HostileCommandLine, ASuggestionOrTheAllowedValuesAreNamed) {
  const TemporaryFolder folder;
  const std::string wav = write_sine(folder / "a.wav", 440).string(), run = (folder / "run").string();
  const std::string config = write_text(folder / "c.toml", "learnig_rate = 1\n").string();
  const std::pair<std::vector<std::string>, const char*> table[] = {
      {{"trian"}, "did you mean train?"},
      {{"--hlep"}, "melgrad has no option '--hlep' (did you mean --help?)"},
      {{"train", "data", "--epohcs", "3", "--out", run}, "train has no option '--epohcs' (did you mean --epochs?)"},
      {{"train", "data", "--uot=x"}, "did you mean --out?"},
      {{"train", "data", "more", "--out", run}, "train does not take the argument 'more'"},
      {{"train", "data", "--out", run, "--model", "resnet81"}, "'resnet81' (did you mean resnet18?) is not one of"},
      {{"summary", "resnet_smal"}, "did you mean resnet_small?"},
      {{"evaluate", run, "data", "--split", "tset"}, "did you mean test?"},
      {{"train", "data", "--out", run, "--config", config},
       "c.toml:1: learnig_rate is not an option (did you mean learning_rate?)"},
      {{"train", "data", "--out", run, "--learning-rate", "nan"}, "nan is not a number above 0"},
      {{"train", "data", "--out", run, "--learning-rate", "inf"}, "inf is not a number above 0"},
      {{"train", "data", "--out", run, "--dropout", "nan"}, "--dropout: nan is not a finite number"},
      {{"train", "data", "--out", run, "--seed", "-1"}, "--seed: -1 is not a whole number of 0 or more"},
      {{"train", "data", "--out", run, "--epochs", "99999999999999999999"}, "--epochs"},
      {{"train", "data", "--out", run, "--warmup-epochs", "9223372036854775807"}, "--warmup-epochs"},
      {{"train", "data", "--out", ""}, "--out needs a value"},
      {{"mel", wav, "--top-db", "inf"}, "--top-db: inf is not a finite number"},
  };
  for (const auto& [arguments, says] : table) expect_refused(arguments, says, 2);
  expect_refused({"mel", wav, "--sample-rate", "2147483647"}, "sample_rate is 2147483647 Hz");
  expect_refused({"mel", wav, "--hop-length", "1", "--n-mels", "65536"}, "raise hop_length");
  expect_refused({"mel", wav, "--npy", (folder / "absent/a.npy").string()}, "absent/a.npy: No such file");
  EXPECT_FALSE(fs::exists(run));
}

// Runs the program as the user nobody and writes its output to `output`. Returns the exit code.
int run_as_nobody(std::vector<std::string> arguments, const fs::path& output) {
  const std::string path = program().string();
  arguments.insert(arguments.begin(), path);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int to = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    dup2(to, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
    constexpr uid_t nobody = 65534;
    if (setgroups(0, nullptr) == 0 && setgid(nobody) == 0 && setuid(nobody) == 0) execv(path.c_str(), argv.data());
    _exit(cannot_run);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(HostileCommandLine, MissingPermissionsAreNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::all);
  write_music_set(folder / "music", 4);
  write_text(folder / "run/last.safetensors", "{}");
  write_text(folder / "list/manifest.csv", "path,label\n");
  for (const char* name : {"music/low/low.00000.wav", "run/last.safetensors", "list/manifest.csv"}) {
    fs::permissions(folder / name, fs::perms::none);
  }
  write_sine(folder / "locked/rock/a.wav", 440);
  fs::permissions(folder / "locked", fs::perms::none);
  fs::create_directory(folder / "out");  // owned by root, mode 0755
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const std::pair<std::vector<std::string>, const char*> table[] = {
      {{"mel", path("music/low/low.00000.wav")}, "low.00000.wav: Permission denied"},
      {{"mel", path("locked/rock/a.wav")}, "locked/rock/a.wav: Permission denied"},
      {{"predict", path("run"), path("music")}, "last.safetensors: Permission denied"},
      {{"train", path("locked"), "--out", path("fresh")}, "locked/manifest.csv: Permission denied"},
      {{"train", path("list"), "--out", path("fresh")}, "manifest.csv: Permission denied"},
      {{"train", path("music"), "--out", path("out/run")}, "out/run: Permission denied"},
      {{"mel", path("music/low/low.00001.wav"), "--npy", path("out/a.npy")}, "out/a.npy: Permission denied"},
  };
  for (const auto& [arguments, says] : table) {
    const int exit_code = run_as_nobody(arguments, folder / "output");
    if (exit_code == cannot_run) GTEST_SKIP() << "nobody may not run " << program();
    const std::string output = read_file(folder / "output");
    EXPECT_EQ(exit_code, 1) << output;
    expect_contains(output, says);
    EXPECT_EQ(lines_of_program(output), 1) << output;
  }
}

}  // namespace
}  // namespace melgrad::test
