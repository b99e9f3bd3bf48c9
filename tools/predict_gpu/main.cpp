// predict_gpu: predicts the time of a training step on GPUs from what tools/count_step.sh counted without one.
//
// A kernel takes the longest of: its DRAM bytes at the bandwidth, its sectors at the rate of the L1 caches, its passes
// at the rate of shared memory, and the latency of the loads that one warp makes after another; plus a constant for its
// start. A convolution takes the longer of its arithmetic and its bytes. The step is the sum, or the host's time to
// launch it if that is longer. chips.json has the constants and where they come from.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& message) { throw std::runtime_error(message); }

Json read_json(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(fmt::format("{} cannot be read", path));
  try {
    return Json::parse(file);
  } catch (const Json::exception& error) {
    fail(fmt::format("{} is no JSON: {}", path, error.what()));
  }
}

struct Chip {
  std::string name;
  int architecture;
  double multiprocessors, clock, bandwidth, matrix_peak;  // clock in Hz, bandwidth in bytes/s, peak in flop/s
};

struct Model {  // as in chips.json
  double memory_efficiency, matrix_efficiency, convolution_efficiency, channel_group, l1_bytes_per_clock, l1_latency,
      l2_latency, memory_latency, loads_in_flight, kernel_ramp, host_launch;
};

std::vector<Chip> chips_of(const Json& constants) {
  std::vector<Chip> chips;
  for (const auto& [name, chip] : constants.at("chips").items()) {
    chips.push_back({.name = name,
                     .architecture = chip.at("architecture"),
                     .multiprocessors = chip.at("multiprocessors"),
                     .clock = chip.at("clock_ghz").get<double>() * 1e9,
                     .bandwidth = chip.at("memory_gb_s").get<double>() * 1e9,
                     .matrix_peak = chip.at("bf16_tflops").get<double>() * 1e12});
  }
  return chips;
}

Model model_of(const Json& constants) {
  const auto value = [&](const char* name) { return constants.at("model").at(name).at("value").get<double>(); };
  return {.memory_efficiency = value("memory_efficiency"),
          .matrix_efficiency = value("matrix_efficiency"),
          .convolution_efficiency = value("convolution_efficiency"),
          .channel_group = value("channel_group"),
          .l1_bytes_per_clock = value("l1_bytes_per_clock"),
          .l1_latency = value("l1_latency_ns") * 1e-9,
          .l2_latency = value("l2_latency_ns") * 1e-9,
          .memory_latency = value("memory_latency_ns") * 1e-9,
          .loads_in_flight = value("loads_in_flight"),
          .kernel_ramp = value("kernel_ramp_us") * 1e-6,
          .host_launch = value("host_launch_us") * 1e-6};
}

// resident[kernel][architecture]: warps on a multiprocessor (docs/kernel_resources.tsv).
using Resident = std::map<std::string, std::map<int, double>>;

Resident read_resources(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(fmt::format("{} cannot be read", path));
  Resident resident;
  std::vector<std::string> heads;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::vector<std::string> fields;
    for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      fields.push_back(line.substr(begin, (end = line.find('\t', begin)) - begin));
    }
    if (heads.empty()) {
      heads = fields;
      continue;
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      int architecture = 0;
      if (std::sscanf(heads[i].c_str(), "sm_%d warps", &architecture) == 1 && heads[i].ends_with("warps") &&
          fields[i] != "-") {
        resident[fields[0]][architecture] = std::stod(fields[i]);
      }
    }
  }
  return resident;
}

struct Launch {
  std::string operation, kernel;
  double blocks, threads, dram_bytes, dram_read_bytes, l2_read_bytes, sectors, least_sectors, requests, shared_passes;
};
// The counts that grow with the batch.
constexpr double Launch::*counts_of_launch[] = {&Launch::dram_bytes,   &Launch::dram_read_bytes, &Launch::l2_read_bytes,
                                                &Launch::sectors,      &Launch::least_sectors,   &Launch::requests,
                                                &Launch::shared_passes};
struct LibraryCall {
  std::string operation, shape;
  double flops, bytes;
};
struct Counts {
  std::vector<Launch> launches;
  std::vector<LibraryCall> library;
  Json calls;
  double device_memory_bytes;
};

Counts counts_of(const Json& json) {
  std::map<std::string, size_t> column;
  for (const auto& name : json.at("columns")) column.emplace(name, column.size());
  Counts counts{.calls = json.at("calls"), .device_memory_bytes = json.at("device_memory_bytes")};
  for (const Json& row : json.at("launches")) {
    const auto number = [&](const char* name) { return row.at(column.at(name)).get<double>(); };
    counts.launches.push_back({.operation = row.at(column.at("operation")),
                               .kernel = row.at(column.at("kernel")),
                               .blocks = number("blocks"),
                               .threads = number("threads"),
                               .dram_bytes = number("dram_read_bytes") + number("dram_written_bytes"),
                               .dram_read_bytes = number("dram_read_bytes"),
                               .l2_read_bytes = number("l2_read_bytes"),
                               .sectors = number("global_sectors"),
                               .least_sectors = number("global_least"),
                               .requests = number("global_requests"),
                               .shared_passes = number("shared_passes")});
  }
  for (const Json& call : json.at("library")) {
    counts.library.push_back({call.at("operation"), call.at("shape"), call.at("flops"), call.at("bytes")});
  }
  return counts;
}

Counts read_counts(const std::string& path) {
  const Json json = read_json(path);
  try {
    return counts_of(json);
  } catch (const std::exception& error) {
    fail(fmt::format("{} does not hold counts of tools/count_step.sh: {}", path, error.what()));
  }
}

constexpr double largest_batch = 256;

// Extrapolates linearly from batches 2 and 4. A launch whose grid does not grow reads what the launch before it wrote,
// so it grows with the grid of that one. Library calls are interpolated between batch 4 and the large batch, 256. The
// grids are those of the large batch. A kernel that only the large batch
// launches (it combines the results of several blocks) counts as a launch without memory traffic.
Counts extrapolate(const Counts& at2, const Counts& at4, const Counts& large, double batch) {
  Counts result = large;
  size_t i = 0;  // in at2 and at4
  for (size_t k = 0; k < result.launches.size(); ++k) {
    if (i >= at2.launches.size() || at2.launches[i].kernel != large.launches[k].kernel) continue;
    const Launch &two = at2.launches[i], &four = at4.launches.at(i);
    double distance = (batch - 2) / 2;
    if (i > 0 && two.blocks == four.blocks && at2.launches[i - 1].blocks != at4.launches[i - 1].blocks) {
      distance = (large.launches[k - 1].blocks - at2.launches[i - 1].blocks) /
                 (at4.launches[i - 1].blocks - at2.launches[i - 1].blocks);
    }
    for (const auto count :
         {&Launch::dram_bytes, &Launch::sectors, &Launch::least_sectors, &Launch::requests, &Launch::shared_passes}) {
      result.launches[k].*count = two.*count + (four.*count - two.*count) * distance;
    }
    ++i;
  }
  if (i != at2.launches.size()) {
    fail(fmt::format("the steps differ: launch {} of batch 2 is {}, which the step of the large batch does not have", i,
                     at2.launches[i].kernel));
  }
  if (at4.library.size() != large.library.size()) {
    fail(fmt::format("the steps differ: {} library calls at batch 4, {} at the large batch", at4.library.size(),
                     large.library.size()));
  }
  const double part = (batch - 4) / (largest_batch - 4);
  for (size_t c = 0; c < result.library.size(); ++c) {
    const LibraryCall &four = at4.library[c], &last = large.library[c];
    result.library[c].flops = std::lerp(four.flops, last.flops, part);
    result.library[c].bytes = std::lerp(four.bytes, last.bytes, part);
  }
  return result;
}

struct Time {
  double seconds;
  const char* bound;
};

Time time_of(const Launch& launch, const Chip& chip, const Model& model, const Resident& resident) {
  const double warps = launch.blocks * std::ceil(launch.threads / 32);
  double on_multiprocessor = 32;
  if (const auto kernel = resident.find(launch.kernel); kernel != resident.end()) {
    if (const auto entry = kernel->second.find(chip.architecture); entry != kernel->second.end()) {
      on_multiprocessor = entry->second;
    }
  }
  const double waves = std::ceil(warps / (chip.multiprocessors * on_multiprocessor));
  const double requests_of_warp = launch.requests / warps;
  // Stores do not wait, and count as if they hit the L1 cache.
  const double bytes = launch.sectors * 32, beyond_l1 = std::min(bytes, launch.l2_read_bytes);
  const double beyond_l2 = std::min(beyond_l1, launch.dram_read_bytes);
  const double latency = bytes == 0 ? model.memory_latency
                                    : ((bytes - beyond_l1) * model.l1_latency +
                                       (beyond_l1 - beyond_l2) * model.l2_latency + beyond_l2 * model.memory_latency) /
                                          bytes;
  const double used_multiprocessors = std::min(chip.multiprocessors, launch.blocks);
  const Time times[] = {
      {launch.dram_bytes / (chip.bandwidth * model.memory_efficiency), "DRAM"},
      {launch.sectors * 32 / (used_multiprocessors * chip.clock * model.l1_bytes_per_clock), "L1"},
      {launch.shared_passes / (used_multiprocessors * chip.clock), "shared memory"},
      {waves * (model.memory_latency + requests_of_warp / model.loads_in_flight * latency), "latency"}};
  Time longest = *std::ranges::max_element(times, {}, &Time::seconds);
  longest.seconds += model.kernel_ramp;
  return longest;
}

// The arithmetic of a convolution whose input channels are padded to whole groups, as a multiple of its own. `shape` is
// "forward of 256x128x130x1 bfloat16 with ...".
double channel_padding(const LibraryCall& call, const Model& model) {
  double channels = 0;
  if (std::sscanf(call.shape.c_str(), "%*s of %*dx%*dx%*dx%lf", &channels) != 1) return 1;
  return std::ceil(channels / model.channel_group) * model.channel_group / channels;
}

Time time_of(const LibraryCall& call, const Chip& chip, const Model& model) {
  const bool is_gemm = call.operation == "gemm";
  const double padding = is_gemm ? 1 : channel_padding(call, model);
  const double efficiency = model.matrix_efficiency * (is_gemm ? 1 : model.convolution_efficiency);
  const double flops = call.flops * padding;
  const Time times[] = {{flops / (chip.matrix_peak * efficiency), "arithmetic"},
                        {call.bytes / (chip.bandwidth * model.memory_efficiency), "DRAM"}};
  Time longest = *std::ranges::max_element(times, {}, &Time::seconds);
  longest.seconds += model.kernel_ramp;
  return longest;
}

struct Row {
  std::string name;
  int launches = 0;
  double seconds = 0, megabytes = 0, sectors = 0, least_sectors = 0;
  std::map<std::string, double> bounds;  // seconds by what bounds them
};

struct Step {
  double launches = 0, device_seconds = 0, host_seconds = 0, other_megabytes = 0, library_seconds = 0;
  std::map<std::string, Row> rows;

  double eager() const { return std::max(device_seconds, host_seconds); }
  double captured() const { return device_seconds; }
};

Step predict(const Counts& counts, const Chip& chip, const Model& model, const Resident& resident) {
  Step step;
  const auto add = [&](const std::string& name, Time time, double bytes) -> Row& {
    Row& row = step.rows[name];
    row.name = name;
    ++row.launches;
    row.seconds += time.seconds;
    row.megabytes += bytes * 1e-6;
    row.bounds[time.bound] += time.seconds;
    step.device_seconds += time.seconds;
    step.launches += 1;
    return row;
  };
  for (const Launch& launch : counts.launches) {
    Row& row = add(launch.kernel, time_of(launch, chip, model, resident), launch.dram_bytes);
    row.sectors += launch.sectors;
    row.least_sectors += launch.least_sectors;
    step.other_megabytes += launch.dram_bytes * 1e-6;
  }
  for (const LibraryCall& call : counts.library) {
    const Time time = time_of(call, chip, model);
    add(call.operation, time, call.bytes);
    step.library_seconds += time.seconds;
  }
  for (const char* call : {"upload", "readback", "device_copy", "fill"}) {
    if (!counts.calls.contains(call)) continue;
    const double n = counts.calls.at(call).at("count");
    step.device_seconds += n * model.kernel_ramp;
    step.launches += n;
  }
  step.host_seconds = step.launches * model.host_launch;
  return step;
}

void print_rows(const Step& step, const std::string& chip) {
  std::vector<Row> rows;
  for (const auto& [name, row] : step.rows) rows.push_back(row);
  std::ranges::sort(rows, std::ranges::greater{}, &Row::seconds);
  fmt::print("{:52} {:>8} {:>9} {:>9} {:>7}  bound on the {} by\n", "kernel", "launches", "MB", "us", "sectors", chip);
  for (const Row& row : rows) {
    const auto bound = std::ranges::max_element(row.bounds, {}, [](const auto& b) { return b.second; });
    fmt::print("{:52} {:8} {:9.2f} {:9.1f} {:>7}  {}\n", row.name.substr(0, 52), row.launches, row.megabytes,
               row.seconds * 1e6, row.sectors > 0 ? fmt::format("{:.2f}", row.least_sectors / row.sectors) : "-",
               bound->first);
  }
}

Counts scaled(Counts counts, double factor) {
  for (Launch& launch : counts.launches) {
    launch.blocks *= factor;
    for (const auto count : counts_of_launch) launch.*count *= factor;
  }
  for (LibraryCall& call : counts.library) {
    call.flops *= factor;
    call.bytes *= factor;
  }
  return counts;
}

// Compares the model with step times that others published for the same network on larger images.
void print_published(const Json& constants, const Counts& counts, double batch, const Model& model,
                     const Resident& resident) {
  fmt::print("\npublished step times of ResNet-18, set beside the prediction from the counts of the unfused step:\n");
  for (const Json& known : constants.at("published")) {
    const auto chips = chips_of(constants);
    const Chip chip = *std::ranges::find(chips, known.at("chip").get<std::string>(), &Chip::name);
    const double images = known.at("batch"), area = known.at("relative_area");
    const Step step = predict(scaled(counts, images * area / batch), chip, model, resident);
    double flops = 0;
    for (const LibraryCall& call : counts.library) flops += call.flops * images * area / batch;
    const double seconds = known.contains("images_per_second")
                               ? images / known.at("images_per_second").get<double>()
                               : flops / (chip.matrix_peak * known.at("flops_share").get<double>());
    fmt::print("  {} ({}): published {:.1f} ms, predicted {:.1f} ms, {:+.0f} %\n", known.at("what").get<std::string>(),
               chip.name, seconds * 1e3, step.eager() * 1e3, 100 * (step.eager() / seconds - 1));
  }
}

int run(int argc, char** argv) {
  std::string prefix, chips_path = PREDICT_CHIPS, resources_path = PREDICT_RESOURCES, detail = "H100", json_path;
  double batch = largest_batch;
  bool published = false, executed = false;
  CLI::App app("Predicts the time of a training step on GPUs from counts (tools/count_step.sh)");
  app.add_option("counts", prefix, "Prefix of three files: PREFIX_2.json, PREFIX_4.json and PREFIX_256.json")
      ->required();
  app.add_option("--batch-size", batch, "Batch to predict, at most 256; shapes are those of 256")
      ->check(CLI::Range(2.0, largest_batch))
      ->capture_default_str();
  app.add_flag("--executed", executed,
               "Take the counts of the large batch from PREFIX_256_executed.json in place of extrapolating them");
  app.add_option("--chip", detail, "Chip of the table of kernels")->capture_default_str();
  app.add_option("--constants", chips_path, "Constants of the chips and of the model")->capture_default_str();
  app.add_option("--resources", resources_path, "Registers and resident warps of the kernels")->capture_default_str();
  app.add_flag("--published", published, "Also compare with published step times; needs the counts of an unfused step");
  app.add_option("--json", json_path, "Write the prediction to this JSON file");
  CLI11_PARSE(app, argc, argv);

  const Json constants = read_json(chips_path);
  const Model model = model_of(constants);
  const Resident resident = read_resources(resources_path);
  const Counts large = read_counts(prefix + "_256.json");
  if (executed && batch != largest_batch) {
    fail(fmt::format("--executed holds counts of batch {} alone; leave out --batch-size {}", largest_batch, batch));
  }
  const Counts counts =
      executed ? read_counts(prefix + "_256_executed.json")
               : extrapolate(read_counts(prefix + "_2.json"), read_counts(prefix + "_4.json"), large, batch);
  const std::vector<Chip> chips = chips_of(constants);
  const auto shown = std::ranges::find(chips, detail, &Chip::name);
  if (shown == chips.end()) {
    std::string names;
    for (const Chip& chip : chips) names += (names.empty() ? "" : ", ") + chip.name;
    fail(fmt::format("--chip {}: choose from {}", detail, names));
  }
  print_rows(predict(counts, *shown, model, resident), detail);

  Json result{{"counts", prefix}, {"batch_size", batch}, {"chips", Json::object()}};
  fmt::print("\ncounted: {} launches of our kernels, {} calls of libraries; {:.0f} MiB of device memory at batch 256\n",
             counts.launches.size(), counts.library.size(), large.device_memory_bytes / (1 << 20));
  fmt::print("predicted for batch {}:\n{:>10} {:>12} {:>12} {:>14} {:>12}\n", batch, "chip", "eager ms", "captured ms",
             "libraries ms", "other GB");
  for (const Chip& chip : chips) {
    const Step step = predict(counts, chip, model, resident);
    fmt::print("{:>10} {:12.2f} {:12.2f} {:14.2f} {:12.2f}\n", chip.name, step.eager() * 1e3, step.captured() * 1e3,
               step.library_seconds * 1e3, step.other_megabytes * 1e-3);
    result["chips"][chip.name] = {{"eager_seconds", step.eager()},
                                  {"captured_seconds", step.captured()},
                                  {"library_seconds", step.library_seconds},
                                  {"launches", step.launches},
                                  {"bytes_outside_libraries", step.other_megabytes * 1e6}};
  }
  if (published) print_published(constants, counts, batch, model, resident);
  if (!json_path.empty()) {
    std::ofstream file(json_path);
    file << result.dump(1) << "\n";
    if (!file.flush()) fail(fmt::format("{} cannot be written", json_path));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "predict_gpu: {}\n", error.what());
    return 1;
  }
}
