#include "apps/rank_watch.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

#include "apps/command.h"

namespace melgrad {
namespace {

// A rank sends `beat_byte` every second, `leaving_byte` at its end, and `failure_byte` after it has reported an error.
constexpr char beat_byte = 'b', leaving_byte = 'l', failure_byte = 'f';
constexpr double silence_limit = 10, connect_limit = 10, introduction_limit = 2;  // seconds

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rank 0 sends an Invitation to all ranks through MPI. Each rank then connects and sends an Introduction.
struct Invitation {
  std::array<uint32_t, 16> addresses{};  // IPv4, in network order; 0: none
  uint16_t port = 0;
  uint64_t secret = 0;  // rank 0 refuses connections that do not know it
};
struct Introduction {
  uint64_t secret = 0;
  int32_t rank = 0;
  std::array<char, 300> name{};
};

void send_all(int socket, const void* bytes, size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t sent = send(socket, next, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) fail("cannot send to rank 0: {}", std::strerror(errno));
    next += sent;
    count -= static_cast<size_t>(sent);
  }
}

bool readable_within(int socket, double seconds) {
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(1000 * std::max(0.0, seconds))) > 0;
}

bool receive_all(int socket, void* bytes, size_t count, double deadline) {
  auto* next = static_cast<char*>(bytes);
  while (count > 0) {
    if (!readable_within(socket, deadline - steady_seconds())) return false;
    const ssize_t got = recv(socket, next, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    count -= static_cast<size_t>(got);
  }
  return true;
}

// The loopback address comes last, because it reaches rank 0 from its own machine only.
std::array<uint32_t, 16> addresses_of_machine() {
  std::array<uint32_t, 16> result{};
  size_t count = 0;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) == 0) {
    for (const ifaddrs* one = first; one && count + 1 < result.size(); one = one->ifa_next) {
      if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
      sockaddr_in address{};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      result.at(count++) = address.sin_addr.s_addr;
    }
    freeifaddrs(first);
  }
  result.at(count) = htonl(INADDR_LOOPBACK);
  return result;
}

sockaddr_in socket_address(uint32_t address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = address;
  result.sin_port = htons(port);
  return result;
}

// Returns the socket and sets the invitation.
int open_door(Invitation& invitation, int ranks) {
  const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = socket_address(htonl(INADDR_ANY), 0);
  socklen_t length = sizeof address;
  const bool open = door >= 0 && bind(door, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                    listen(door, ranks) == 0 && getsockname(door, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (!open) fail("cannot open a TCP port for the other ranks: {}", std::strerror(errno));
  std::random_device random;
  invitation = {.addresses = addresses_of_machine(),
                .port = ntohs(address.sin_port),
                .secret = (uint64_t{random()} << 32) | random()};
  return door;
}

// -1: not within two seconds.
int connect_to(const sockaddr_in& address) {
  const int result = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (result < 0) return -1;
  if (connect(result, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return result;
  pollfd waiting{.fd = result, .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t length = sizeof error;
  const bool connected = errno == EINPROGRESS && poll(&waiting, 1, 2000) > 0 &&
                         getsockopt(result, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  if (connected) return result;
  close(result);
  return -1;
}

int connect_to(const Invitation& invitation) {
  for (const uint32_t address : invitation.addresses) {
    if (address == 0) break;
    const int result = connect_to(socket_address(address, invitation.port));
    if (result >= 0) return result;
  }
  fail("cannot reach rank 0 by TCP at port {}; allow connections between the machines", invitation.port);
}

}  // namespace

RankWatch::RankWatch(Communicator& ranks, const std::string& name) : rank_(ranks.rank()) {
  Invitation invitation;
  const int door = rank_ == 0 ? open_door(invitation, ranks.size()) : -1;
  ranks.broadcast(&invitation, sizeof invitation, 0);
  const double deadline = steady_seconds() + connect_limit;
  if (rank_ > 0) {
    Introduction mine{.secret = invitation.secret, .rank = rank_};
    name.copy(mine.name.data(), mine.name.size() - 1);
    peers_.push_back({.socket = connect_to(invitation), .name = "rank 0", .heard = steady_seconds()});
    send_all(peers_[0].socket, &mine, sizeof mine);
  }
  while (rank_ == 0 && std::ssize(peers_) + 1 < ranks.size()) {
    if (!readable_within(door, deadline - steady_seconds())) {
      fail("only {} of {} other ranks have connected to rank 0 by TCP after {} s", peers_.size(), ranks.size() - 1,
           connect_limit);
    }
    const int socket = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
    Introduction theirs;
    // A stranger that connects and sends nothing keeps the ranks waiting for a moment only.
    const double patience = std::min(deadline, steady_seconds() + introduction_limit);
    if (socket >= 0 && receive_all(socket, &theirs, sizeof theirs, patience) && theirs.secret == invitation.secret) {
      theirs.name.back() = '\0';
      peers_.push_back({.socket = socket, .name = theirs.name.data(), .heard = steady_seconds()});
    } else if (socket >= 0) {
      close(socket);
    }
  }
  if (door >= 0) close(door);
  thread_ = std::thread([this] { run(); });
}

RankWatch::~RankWatch() {
  stop_ = true;
  thread_.join();
  tell_all(leaving_byte);
  for (const Peer& peer : peers_) close(peer.socket);
}

void RankWatch::report_failure() noexcept { tell_all(failure_byte); }

void RankWatch::tell_all(char what) noexcept {
  // A full or closed connection needs no message.
  for (const Peer& peer : peers_) send(peer.socket, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void RankWatch::run() {
  double next_beat = 0, last = steady_seconds();
  while (!stop_) {
    if (steady_seconds() >= next_beat) {
      tell_all(beat_byte);
      next_beat = steady_seconds() + 1;
    }
    std::vector<pollfd> waiting;
    for (const Peer& peer : peers_)
      waiting.push_back({.fd = peer.left ? -1 : peer.socket, .events = POLLIN, .revents = 0});
    poll(waiting.data(), waiting.size(), 100);
    // While this process was stopped, such as by the suspension of a job, it could not hear the others.
    constexpr double longest_pause = 1;
    const double now = steady_seconds();
    if (const double pause = now - std::exchange(last, now); pause > longest_pause) {
      for (Peer& peer : peers_) peer.heard += pause;
    }
    for (size_t i = 0; i < peers_.size(); ++i) {
      Peer& peer = peers_[i];
      if (waiting[i].revents != 0) listen_to(peer);
      if (!peer.left && steady_seconds() - peer.heard > silence_limit) {
        end(fmt::format("{} has not answered for {} s: it hangs, or its machine or network has failed", peer.name,
                        silence_limit));
      }
    }
  }
}

void RankWatch::listen_to(Peer& peer) {
  std::array<char, 64> heard{};
  const ssize_t count = recv(peer.socket, heard.data(), heard.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0)
    end(fmt::format("{} ended without a message, as after kill -9 or if the system lacks memory", peer.name));
  peer.heard = steady_seconds();
  for (const char what : std::string_view(heard.data(), static_cast<size_t>(count))) {
    if (what == leaving_byte) peer.left = true;
    if (what == failure_byte) end("");
  }
}

// Rank 0 speaks. If it is lost itself, rank 1 does.
void RankWatch::end(const std::string& message) noexcept {
  if (!message.empty() && rank_ <= 1) {
    name_speaker("");
    complain(message + "; all ranks end, continue with --resume");
    report_failure();
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(1));  // a launcher ends the other ranks after the first
  }
  _exit(exit_failure);
}

}  // namespace melgrad
