// melgrad cache
#include <cstdio>
#include <memory>

#include "apps/command.h"
#include "apps/features.h"
#include "framework/dataset/audio_cache.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct CacheCommand {
  OutputOptions output;
  std::string cache, limit;
  bool empty = false;
};

// The folder of the features of earlier versions, one file per track, which this version does not read.
fs::path old_features(const CacheSettings& cache) { return cache.folder / "features"; }

struct FolderSize {
  uint64_t files = 0, bytes = 0;
};

// Counts a file, or the files directly in a folder. A path that does not exist counts as 0.
FolderSize size_of(const fs::path& path) {
  FolderSize size;
  std::error_code error;
  const auto add = [&](const fs::path& file) {
    const uint64_t bytes = fs::file_size(file, error);
    if (error) return;
    ++size.files;
    size.bytes += bytes;
  };
  if (fs::is_regular_file(path, error)) add(path);
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error)) add(entry->path());
  }
  return size;
}

double seconds_since(fs::file_time_type time) {
  return std::chrono::duration<double>(fs::file_time_type::clock::now() - time).count();
}

std::string readable_age(double seconds) {
  constexpr double hour = 3600, day = 24 * hour;
  return seconds < day ? fmt::format("{:.1f} hours", seconds / hour) : fmt::format("{:.1f} days", seconds / day);
}

nlohmann::ordered_json to_json(const CacheSettings& cache, ShardStore::Use& use) {
  const auto age = [](const std::optional<fs::file_time_type>& time) {
    return time ? nlohmann::ordered_json(seconds_since(*time)) : nlohmann::ordered_json();
  };
  return {{"folder", cache.folder.string()},
          {"bytes", use.bytes},
          {"limit_bytes",
           cache.limit == ShardStore::no_limit ? nlohmann::ordered_json() : nlohmann::ordered_json(cache.limit)},
          {"features", use.blobs[BlobKind::log_mel]},
          {"seconds_since_newest_use", age(use.newest)},
          {"seconds_since_oldest_use", age(use.oldest)},
          {"known_files_bytes", size_of(cache.contents()).bytes},
          {"sets", size_of(cache.sets()).files},
          {"old_entries", size_of(old_features(cache)).files},
          {"old_bytes", size_of(old_features(cache)).bytes}};
}

void print_text(const CacheSettings& cache, ShardStore::Use& use) {
  fmt::print("{}\n", one_line(cache.folder.string()));
  const std::string limit = cache.limit == ShardStore::no_limit ? "no limit" : "limit " + size_text(cache.limit);
  fmt::print("features of {} recordings: {} ({})\n", use.blobs[BlobKind::log_mel], size_text(use.bytes), limit);
  if (use.newest) {
    fmt::print("last use: {} ago; oldest part: {} ago\n", readable_age(seconds_since(*use.newest)),
               readable_age(seconds_since(*use.oldest)));
  }
  fmt::print("hashes of audio files: {}; statistics of {} data sets\n", size_text(size_of(cache.contents()).bytes),
             size_of(cache.sets()).files);
  if (const FolderSize old = size_of(old_features(cache)); old.files > 0) {
    fmt::print("{} files of an older version, which this version does not read: {}; --empty removes them\n", old.files,
               size_text(old.bytes));
  }
}

// Returns the bytes that were freed.
uint64_t empty(const CacheSettings& cache, ShardStore& store) {
  const uint64_t before = store.use().bytes;
  store.clear();
  uint64_t freed = before - store.use().bytes;
  for (const fs::path& part : {cache.contents(), cache.sets(), old_features(cache)}) {
    freed += size_of(part).bytes;
    std::error_code error;
    fs::remove_all(part, error);
    if (error) fail("cannot remove {}: {}", part.string(), error.message());
  }
  return freed;
}

int run_cache(const CacheCommand& c) {
  const CacheSettings cache{cache_folder(c.cache), cache_limit(c.limit)};
  if (cache.folder.empty()) fail("there is no home folder; give the folder of the cache with --cache");
  ShardStore store(cache.shards(), cache.limit);
  uint64_t freed = 0;
  if (c.empty) {
    freed = empty(cache, store);
    if (store.use().bytes > 0) c.output.note("shards that another process writes were not removed");
  } else {
    freed = store.shrink();
  }
  ShardStore::Use use = store.use();
  if (c.output.json) {
    nlohmann::ordered_json json = to_json(cache, use);
    json["freed_bytes"] = freed;
    print_json(json);
  } else {
    print_text(cache, use);
    if (freed > 0) fmt::print("removed {}\n", size_text(freed));
  }
  return exit_success;
}

}  // namespace

Command add_cache(CLI::App& program) {
  auto command = std::make_shared<CacheCommand>();
  CLI::App& app = *program.add_subcommand("cache", "Show or empty the cache of features");
  app.option_defaults()->always_capture_default();
  app.footer("Examples:\n  melgrad cache\n  melgrad cache --empty\n  melgrad cache --cache-limit 20GB");
  app.add_flag("--empty", command->empty, "Remove everything that is computed from audio files");
  app.add_option("--cache", command->cache,
                 "Folder of the feature cache. Default: MELGRAD_CACHE, otherwise ~/.cache/melgrad")
      ->type_name("FOLDER");
  app.add_option("--cache-limit", command->limit,
                 "Remove what was not used for the longest time until the cache has at most this size, such as 20GB. "
                 "0: no limit. Default: MELGRAD_CACHE_LIMIT, otherwise 100GB")
      ->type_name("SIZE");
  app.option_defaults()->group("Run");
  add_output_options(app, command->output);
  return {&app, [command] { return run_cache(*command); }};
}

}  // namespace melgrad
