#include "kernels/device/profiler.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "kernels/device/stream.h"

namespace melgrad::profiler {
namespace {

using Clock = std::chrono::steady_clock;

struct DeviceTimes {
  std::unique_ptr<TimeMark> begin, end;
};

// A mark whose time is known on the host's clock too.
struct Origin {
  std::unique_ptr<TimeMark> mark;
  double host_seconds = 0;
};

class Recording {
 public:
  Recording() {
    Stream::of(Device::cpu).reset_peak();
    start_ = Clock::now();
  }

  int64_t begin(Stream& stream, RangeKind kind, const char* name, KernelCall call) {
    const std::lock_guard lock(mutex_);
    fold_peak(stream);
    const auto [thread, is_new] = threads_.try_emplace(std::this_thread::get_id(), Thread{next_thread(), {}});
    std::vector<size_t>& open = thread->second.open;
    const size_t index = ranges_.size();
    ranges_.push_back({.kind = kind,
                       .name = name,
                       .parent = open.empty() ? -1 : static_cast<int>(open.back()),
                       .thread = thread->second.number,
                       .device = stream.device(),
                       .host = {},
                       .time = {},
                       .call = std::move(call)});
    device_times_.emplace_back();
    open.push_back(index);
    if (has_device_time(kind)) {
      require_origin(stream);
      device_times_[index].begin = stream.mark_time();
    }
    ranges_[index].host = {now(), -1};
    return static_cast<int64_t>(index);
  }

  void end(int64_t number) {
    const double host_end = now();
    const std::lock_guard lock(mutex_);
    const auto index = static_cast<size_t>(number);
    if (number < 0 || index >= ranges_.size()) return;
    Stream& stream = Stream::of(ranges_[index].device);
    if (has_device_time(ranges_[index].kind)) device_times_[index].end = stream.mark_time();
    fold_peak(stream);
    ranges_[index].host.end = host_end;
    for (auto& [id, thread] : threads_) std::erase(thread.open, index);
  }

  Profile finish() {
    for (const auto& [device, origin] : origins_) Stream::of(device).synchronize();
    const std::lock_guard lock(mutex_);
    Profile profile{.seconds = now(), .ranges = {}};
    fold_peak(Stream::of(Device::cpu));
    for (const auto& [device, origin] : origins_) fold_peak(Stream::of(device));
    for (size_t i = 0; i < ranges_.size(); ++i) {
      ProfiledRange& range = ranges_[i];
      if (range.host.end < 0) range.host.end = profile.seconds;
      range.time = range.host;
      if (const auto& [begin, end] = device_times_[i]; begin && end) {
        const Origin& origin = origins_.at(range.device);
        range.time.begin = origin.host_seconds + begin->seconds_since(*origin.mark);
        range.time.end = range.time.begin + end->seconds_since(*begin);
      }
    }
    profile.ranges = std::move(ranges_);
    profile.peak_bytes = peaks_;
    return profile;
  }

 private:
  struct Thread {
    int number;
    std::vector<size_t> open;  // indices of ranges, the innermost last
  };

  static bool has_device_time(RangeKind kind) { return kind == RangeKind::phase || kind == RangeKind::kernel; }
  int next_thread() const { return static_cast<int>(threads_.size()); }
  double now() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void require_origin(Stream& stream) {
    if (origins_.contains(stream.device())) return;
    stream.synchronize();  // the device reaches the mark at once
    Origin origin{.mark = stream.mark_time()};
    if (!origin.mark) return;
    origin.host_seconds = now();
    origins_.emplace(stream.device(), std::move(origin));
  }

  // Adds the peak since the last call to all open ranges of the device.
  void fold_peak(Stream& stream) {
    const size_t peak = stream.memory().peak;
    const auto add = [peak](size_t& largest) { largest = std::max(largest, peak); };
    for (auto& [id, thread] : threads_) {
      for (const size_t index : thread.open) {
        if (ranges_[index].device == stream.device()) add(ranges_[index].peak_bytes);
      }
    }
    add(peaks_[static_cast<size_t>(stream.device())]);
    stream.reset_peak();
  }

  std::mutex mutex_;
  Clock::time_point start_;
  std::map<std::thread::id, Thread> threads_;
  std::vector<ProfiledRange> ranges_;
  std::vector<DeviceTimes> device_times_;  // one of each range
  std::map<Device, Origin> origins_;
  std::array<size_t, 2> peaks_{};
};

std::mutex mutex;
std::shared_ptr<Recording> current;
int64_t first_number = 0;  // of the current recording: numbers are not used twice

std::pair<std::shared_ptr<Recording>, int64_t> current_recording() {
  const std::lock_guard lock(mutex);
  return {current, first_number};
}

}  // namespace

void start() {
  const std::lock_guard lock(mutex);
  MELGRAD_CHECK(!current, "the profiler is recording already");
  current = std::make_shared<Recording>();
  recording = true;
}

Profile stop() {
  std::shared_ptr<Recording> finished;
  {
    const std::lock_guard lock(mutex);
    MELGRAD_CHECK(current, "the profiler is not recording");
    recording = false;
    finished = std::move(current);
  }
  Profile profile = finished->finish();
  const std::lock_guard lock(mutex);
  first_number += static_cast<int64_t>(profile.ranges.size());
  return profile;
}

int64_t begin_range(Stream& stream, RangeKind kind, const char* name, KernelCall call) {
  const auto [present, first] = current_recording();
  return present ? first + present->begin(stream, kind, name, std::move(call)) : -1;
}

void end_range(int64_t number) noexcept {
  try {
    if (const auto [present, first] = current_recording(); present) present->end(number - first);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the next synchronisation reports a device that failed
  }
}

}  // namespace melgrad::profiler
