#include "framework/dataset/content_memo.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <type_traits>

#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr std::string_view memo_magic = "melmemo1";
constexpr int64_t ns_per_s = 1'000'000'000;
constexpr size_t most_entries = 2'000'000;  // 140 MB; then the memo starts anew

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * ns_per_s + time.tv_nsec; }

// Two spellings of a path are two entries, which costs less than to normalise every path.
ContentHash hash_of_path(const std::filesystem::path& audio) {
  const std::string path = audio.is_absolute() ? audio.string() : std::filesystem::absolute(audio).string();
  const XXH128_hash_t hash = XXH3_128bits(path.data(), path.size());
  return {hash.high64, hash.low64};
}

}  // namespace

// The file: magic, entries, XXH3-64 of all before it.
ContentMemo::ContentMemo(std::filesystem::path file) : file_(std::move(file)) {
  static_assert(std::is_trivially_copyable_v<Entry> && sizeof(Entry) == 72, "written as bytes: no padding");
  std::error_code error;
  if (file_.empty() || !std::filesystem::is_regular_file(file_, error)) return;
  std::string bytes;
  try {
    bytes = read_file(file_);
  } catch (const Error&) {
    return;
  }
  uint64_t hash = 0;
  const size_t around = memo_magic.size() + sizeof hash;
  if (bytes.size() < around || !bytes.starts_with(memo_magic) || (bytes.size() - around) % sizeof(Entry) != 0) return;
  const size_t end = bytes.size() - sizeof hash;
  std::memcpy(&hash, bytes.data() + end, sizeof hash);
  if (hash != XXH3_64bits(bytes.data(), end)) return;
  entries_.reserve((end - memo_magic.size()) / sizeof(Entry));
  for (size_t at = memo_magic.size(); at < end; at += sizeof(Entry)) {
    Entry entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    entries_.emplace(entry.path, entry);
  }
}

bool ContentMemo::read_stamp(const std::filesystem::path& audio, Stamp& stamp) {
  struct stat status {};
  if (stat(audio.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  stamp = {.device = status.st_dev,
           .inode = status.st_ino,
           .size = static_cast<uint64_t>(status.st_size),
           .modified = nanoseconds(status.st_mtim),
           .changed = nanoseconds(status.st_ctim)};
  return true;
}

ContentHash ContentMemo::hash_of(const std::filesystem::path& audio) {
  Stamp before, after;
  if (file_.empty() || !read_stamp(audio, before)) return content_hash(audio);
  const ContentHash path = hash_of_path(audio);
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(path);
    if (found != entries_.end() && found->second.stamp == before) return found->second.content;
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const ContentHash content = content_hash(audio);
  constexpr int64_t settled = 2 * ns_per_s;  // the coarsest clock of a file system, that of FAT
  const bool recent = std::max(before.modified, before.changed) > nanoseconds(now) - settled;
  if (!recent && read_stamp(audio, after) && after == before) {
    const std::lock_guard lock(mutex_);
    entries_.insert_or_assign(path, Entry{.path = path, .stamp = before, .content = content});
    changed_ = true;
  }
  return content;
}

void ContentMemo::save() {
  const std::lock_guard lock(mutex_);
  if (!changed_) return;
  if (entries_.size() > most_entries) entries_.clear();
  std::string bytes(memo_magic);
  bytes.reserve(bytes.size() + entries_.size() * sizeof(Entry) + sizeof(uint64_t));
  for (const auto& [path, entry] : entries_) bytes.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  write_file_atomically(file_, bytes);
  changed_ = false;
}

}  // namespace melgrad
