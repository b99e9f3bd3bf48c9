// melgrad runs FOLDER
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/run_record.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

struct RunsCommand {
  OutputOptions output;
  std::string folder, sort = "run";
};

// One row of the table. Numbers that a run does not have are empty.
struct RunRow {
  std::string run, model, data, status;
  int64_t epochs = 0, planned_epochs = 0;
  std::optional<double> validation_accuracy, best_validation_accuracy, test_accuracy;
  double seconds = 0;
};

RunRow row_of(const std::filesystem::path& folder, const std::filesystem::path& root) {
  const RunRecord record = read_run_record(folder);
  const std::filesystem::path relative = folder.lexically_relative(root);
  const std::string data = record.option("data");
  RunRow row{.run = relative == "." ? folder.filename().string() : relative.generic_string(),
             .model = record.option("model"),
             .data = std::filesystem::path(data).filename().string(),
             .status = record.status(),
             .epochs = std::ssize(record.epochs),
             .planned_epochs = record.planned_epochs(),
             .validation_accuracy = record.last("validation_track_accuracy"),
             .best_validation_accuracy = record.best("validation_track_accuracy"),
             .seconds = record.training_seconds()};
  if (row.data.empty()) row.data = data;
  if (record.evaluation.is_object() && record.evaluation.value("split", "") == "test" &&
      record.evaluation["track_accuracy"].is_number()) {
    row.test_accuracy = record.evaluation["track_accuracy"].get<double>();
  }
  return row;
}

// The run folders in `root`, at any depth. A run folder is not searched.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(root)) fail("{} is no folder; give a folder with runs of melgrad train", root.string());
  std::vector<fs::path> folders;
  if (is_run_folder(root)) return {root};
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(root, options), end; entry != end; ++entry) {
    std::error_code unseen;
    if (!entry->is_directory(unseen) || !is_run_folder(entry->path())) continue;
    folders.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  std::ranges::sort(folders);
  return folders;
}

// Rows without the number come last.
void sort_rows(std::vector<RunRow>& rows, const std::string& key) {
  const auto by_number = [&rows](auto number_of) {
    std::ranges::stable_sort(rows, [&](const RunRow& a, const RunRow& b) { return number_of(a) > number_of(b); });
  };
  const auto by_text = [&rows](std::string RunRow::*text) {
    std::ranges::stable_sort(rows, [&](const RunRow& a, const RunRow& b) { return a.*text < b.*text; });
  };
  if (key == "run") by_text(&RunRow::run);
  if (key == "model") by_text(&RunRow::model);
  if (key == "data") by_text(&RunRow::data);
  if (key == "status") by_text(&RunRow::status);
  if (key == "validation") by_number([](const RunRow& row) { return row.validation_accuracy; });
  if (key == "test") by_number([](const RunRow& row) { return row.test_accuracy; });
  if (key == "epochs") by_number([](const RunRow& row) { return row.epochs; });
  if (key == "time") by_number([](const RunRow& row) { return row.seconds; });
}

// https://no-color.org: a variable NO_COLOR that is not empty turns colours off.
bool colors_wanted() {
  const char* const no_color = std::getenv("NO_COLOR");
  return isatty(fileno(stdout)) == 1 && (no_color == nullptr || *no_color == '\0');
}

const char* color_of(const std::string& status) {
  if (status == "training") return "\x1B[36m";
  return status == "interrupted" ? "\x1B[33m" : "\x1B[32m";
}

void print_rows(const std::vector<RunRow>& rows) {
  size_t run = 3, model = 5, data = 4;
  for (const RunRow& row : rows) {
    run = std::max(run, one_line(row.run).size());
    model = std::max(model, one_line(row.model).size());
    data = std::max(data, one_line(row.data).size());
  }
  const auto number = [](const std::optional<double>& value) { return value ? fmt::format("{:.3f}", *value) : "-"; };
  const bool color = colors_wanted();
  fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>9}  {:>10}  {:>6}  {:>6}  {:>8}  status\n", "run", run, "model", model, "data",
             data, "epochs", "validation", "best", "test", "time");
  for (const RunRow& row : rows) {
    const std::string status = color ? color_of(row.status) + row.status + "\x1B[0m" : row.status;
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>9}  {:>10}  {:>6}  {:>6}  {:>8}  {}\n", one_line(row.run), run,
               one_line(row.model), model, one_line(row.data), data,
               fmt::format("{}/{}", row.epochs, row.planned_epochs), number(row.validation_accuracy),
               number(row.best_validation_accuracy), number(row.test_accuracy), clock_time(row.seconds), status);
  }
}

nlohmann::ordered_json to_json(const std::vector<RunRow>& rows) {
  const auto number = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RunRow& row : rows) {
    list.push_back({{"run", row.run},
                    {"model", row.model},
                    {"data", row.data},
                    {"epochs", row.epochs},
                    {"planned_epochs", row.planned_epochs},
                    {"validation_track_accuracy", number(row.validation_accuracy)},
                    {"best_validation_track_accuracy", number(row.best_validation_accuracy)},
                    {"test_track_accuracy", number(row.test_accuracy)},
                    {"seconds", row.seconds},
                    {"status", row.status}});
  }
  return list;
}

int list_runs(const RunsCommand& c) {
  std::vector<RunRow> rows;
  size_t damaged = 0;
  for (const std::filesystem::path& folder : find_runs(c.folder)) {
    try {
      rows.push_back(row_of(folder, c.folder));
    } catch (const Error& error) {
      complain(error.what());
      ++damaged;
    }
  }
  if (rows.empty() && damaged == 0) fail("{} holds no runs; give a folder with runs of melgrad train", c.folder);
  sort_rows(rows, c.sort);
  if (c.output.json) {
    print_json(to_json(rows));
  } else {
    print_rows(rows);
  }
  if (damaged == 0) return exit_success;
  return rows.empty() ? exit_failure : exit_partial;
}

}  // namespace

Command add_runs(CLI::App& program) {
  auto command = std::make_shared<RunsCommand>();
  CLI::App& app = *program.add_subcommand("runs", "List the runs in a folder with their accuracy and status");
  app.option_defaults()->always_capture_default();
  app.footer(
      "validation and best are track accuracies of the last and the best epoch. test is that of melgrad evaluate.\n\n"
      "Examples:\n"
      "  melgrad runs runs --sort test");
  app.add_option("folder", command->folder, "Folder to search for runs, at any depth")->required();
  app.add_option("--sort", command->sort, "Column to sort by; numbers with the largest first")
      ->check(one_of({"run", "model", "data", "epochs", "validation", "test", "time", "status"}));
  app.option_defaults()->group("Run");
  add_output_options(app, command->output);
  return {&app, [command] { return list_runs(*command); }};
}

}  // namespace melgrad
