#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <sstream>

#include "apps/completion/command_doc.h"
#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

// A program with one option of every kind.
CommandDoc example() {
  CLI::App program("Plays music.", "player");
  program.set_version_flag("--version", "1");
  CLI::App& play = *program.add_subcommand("play", "Play: it's [loud]");
  static std::string file, style = "jazz";
  static int volume = 5;
  play.option_defaults()->always_capture_default();
  play.add_option("file", file, "File to play")->required();
  play.add_option("--style", style, "Style of the music")->check(CLI::IsMember({"jazz", "rock", "rock:hard"}));
  play.add_option("--volume", volume, "Volume of the sound")->check(CLI::Range(0, 11))->group("Sound");
  play.add_option("--secret", volume)->group("");
  play.footer("Example:\n  player play 'x.wav'\n.hidden");
  program.add_subcommand("stop", "Stop");
  program.add_subcommand("internal", "Hidden")->group("");
  return describe(program);
}

// The same with a command that contains a command of the same name.
CommandDoc example_with_inner_command() {
  CommandDoc program = example();
  CommandDoc inner = program.commands[0];
  inner.options.push_back({.name = "--trace", .description = "File to write", .group = "Measure"});
  program.commands.push_back({.name = "measure", .description = "Measure it", .footer = "", .commands = {inner}});
  return program;
}

bool has(const char* command) {
  return std::system(("command -v " + std::string(command) + " >/dev/null").c_str()) == 0;
}

TEST(Completion, DescribesTheOptionsInTheHelp) {
  const CommandDoc program = example();
  ASSERT_EQ(program.commands.size(), 2U);
  const CommandDoc& play = program.commands[0];
  ASSERT_EQ(play.options.size(), 3U);  // --help, --style, --volume
  EXPECT_EQ(play.options[1].value, OptionDoc::Value::choice);
  EXPECT_EQ(play.options[1].choices, (std::vector<std::string>{"jazz", "rock", "rock:hard"}));
  EXPECT_EQ(play.options[1].default_value, "jazz");
  EXPECT_EQ(play.options[2].value, OptionDoc::Value::number);
  EXPECT_EQ(play.options[2].range, "0 to 11");
  EXPECT_EQ(play.options[2].group, "Sound");
  ASSERT_EQ(play.positionals.size(), 1U);
  EXPECT_EQ(play.positionals[0].value, OptionDoc::Value::path_or_text);
  EXPECT_TRUE(play.positionals[0].required);
}

// The words that the bash completion offers for a command line with the cursor at the last word.
std::string offered_by_bash(const TemporaryFolder& folder, const std::string& words,
                            const CommandDoc& program = example()) {
  const std::string output = (folder / "offered").string();
  const std::string script = write_text(folder / "ask.bash", bash_completion(program) + "COMP_WORDS=(" + words +
                                                                 ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_player\n"
                                                                 "echo \"${COMPREPLY[@]}\" >" +
                                                                 output + "\n")
                                 .string();
  EXPECT_EQ(std::system(("bash " + script).c_str()), 0);
  std::string offered = read_file(output);
  offered.pop_back();
  return offered;
}

TEST(Completion, BashOffersCommandsOptionsAndValues) {
  if (!has("bash")) GTEST_SKIP() << "there is no bash";
  const TemporaryFolder folder;
  EXPECT_EQ(offered_by_bash(folder, "player ''"), "play stop");
  EXPECT_EQ(offered_by_bash(folder, "player --v"), "--version");
  EXPECT_EQ(offered_by_bash(folder, "player play --"), "--help --style --volume");
  EXPECT_EQ(offered_by_bash(folder, "player play --style ''"), "jazz rock");
  EXPECT_EQ(offered_by_bash(folder, "player play --style = r"), "rock");
  EXPECT_EQ(offered_by_bash(folder, "player play --style ="), "jazz rock");
  EXPECT_EQ(offered_by_bash(folder, "player play --volume ''"), "");
  EXPECT_EQ(offered_by_bash(folder, "player play x"), "");  // bash then offers file names
}

TEST(Completion, OffersCommandsInsideCommands) {
  const CommandDoc program = example_with_inner_command();
  expect_contains(fish_completion(program),
                  "-n '__fish_seen_subcommand_from measure; and __fish_seen_subcommand_from play' -l trace");
  expect_contains(zsh_completion(program), "'--trace[File to write]'");
  const std::string page = man_page(program, "player 1");
  expect_contains(page, ".SS player measure play\n");
  // The other options are in the section of `player play`.
  EXPECT_EQ(page.find("volume", page.find(".SS player measure play")), std::string::npos);
  if (!has("bash")) GTEST_SKIP() << "there is no bash";
  const TemporaryFolder folder;
  EXPECT_EQ(offered_by_bash(folder, "player ''", program), "play stop measure");
  EXPECT_EQ(offered_by_bash(folder, "player measure ''", program), "play");
  EXPECT_EQ(offered_by_bash(folder, "player measure play --t", program), "--trace");
  EXPECT_EQ(offered_by_bash(folder, "player measure play --style ''", program), "jazz rock");
  EXPECT_EQ(offered_by_bash(folder, "player play --t", program), "");
}

TEST(Completion, ZshAndFishOfferTheSame) {
  const std::string zsh = zsh_completion(example()), fish = fish_completion(example());
  expect_contains(zsh, R"('play:Play\: it'\''s \[loud\]')");
  expect_contains(zsh, "'--style[Style of the music]:style:(jazz rock rock\\:hard)'");
  expect_contains(zsh, "':file:_files'");
  expect_contains(fish, "-f -a play -d 'Play: it\\'s [loud]'");
  expect_contains(fish, "-l style -x -a 'jazz rock rock:hard' -d 'Style of the music'");
  EXPECT_EQ((zsh + fish).find("secret"), std::string::npos);
  EXPECT_EQ((zsh + fish).find("internal"), std::string::npos);
}

TEST(Completion, ZshAndFishAcceptTheirScripts) {
  const TemporaryFolder folder;
  const auto reads = [&](const std::string& shell, const std::string& script) {
    const std::string file = write_text(folder / ("completion." + shell), script).string();
    return std::system((shell + " -n " + file).c_str()) == 0;
  };
  if (!has("zsh") && !has("fish")) GTEST_SKIP() << "there is neither zsh nor fish";
  for (const CommandDoc& program : {example(), example_with_inner_command()}) {
    EXPECT_TRUE(!has("zsh") || reads("zsh", zsh_completion(program)));
    EXPECT_TRUE(!has("fish") || reads("fish", fish_completion(program)));
  }
}

TEST(Completion, TheManualPageIsValidRoff) {
  const std::string page = man_page(example(), "player 1");
  EXPECT_NE(
      page.find(".PP\n\\fBSound:\\fR\n.TP\n\\fB\\-\\-volume\\fR \\fIINT\\fR\nVolume of the sound (0 to 11; default 5)"),
      std::string::npos)
      << page;
  expect_contains(page, "\n\\&.hidden");
  if (!has("man")) GTEST_SKIP() << "there is no man to read it";
  const TemporaryFolder folder;
  const std::string file = write_text(folder / "player.1", page).string(), warnings = (folder / "warnings").string();
  EXPECT_EQ(std::system(("LC_ALL=C.UTF-8 man --warnings -l " + file + " >/dev/null 2>" + warnings).c_str()), 0);
  EXPECT_EQ(read_file(warnings), "");
}

}  // namespace
}  // namespace melgrad::test
