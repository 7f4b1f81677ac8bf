// Orders counted one by one in memory, a few hundred nanoseconds each.
//
//     low_latency ORDERS CATEGORIES REGIONS BASE WINDOW WINDOWS RATE OUT
//
// ORDERS      file of `Order` records, in the order of their arrival
// CATEGORIES  file of one byte a product: its category, by product_id; 255 where there is none
// REGIONS     how many regions there are
// BASE, WINDOW, WINDOWS  start of the first window and length, in microseconds; how many
// RATE        orders per second, evenly spaced; 0: as fast as they are taken
// OUT         prefix of the files it writes: .table .visible .counting .summary
//
// One thread hands orders over through a ring in shared memory, the other counts them into an
// array. Both poll and never sleep: this is what the lowest latency costs, two cores that are
// always busy. Nothing is written to disk before the end, nothing crosses a network: after a crash
// the counts are gone.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

struct Order {
    int64_t order_id;
    int64_t timestamp;  // microseconds since 1970
    int32_t product_id;
    int32_t amount_cents;
    int32_t region;
    int32_t unused;
};
static_assert(sizeof(Order) == 32);

using Clock = std::chrono::steady_clock;

static int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

template <typename Record>
static std::vector<Record> read(const char* path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        std::fprintf(stderr, "cannot read %s\n", path);
        std::exit(1);
    }
    std::vector<Record> records(static_cast<size_t>(file.tellg()) / sizeof(Record));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(records.data()), records.size() * sizeof(Record));
    return records;
}

template <typename Record>
static void write(const std::string& path, const std::vector<Record>& records) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    file.close();  // what is short reaches the disk here, if there is room
    if (!file) {
        std::fprintf(stderr, "cannot write %s\n", path.c_str());
        std::exit(1);
    }
}

// One writer, one reader, no lock. Each index has a cache line of its own.
class Ring {
  public:
    struct Slot {
        Order order;
        int64_t due;  // nanoseconds: when the order was there to be counted
    };

    bool put(const Order& order, int64_t due) {
        const uint64_t at = written.load(std::memory_order_relaxed);
        if (at - taken.load(std::memory_order_acquire) == SIZE) return false;
        slots[at % SIZE] = {order, due};
        written.store(at + 1, std::memory_order_release);
        return true;
    }

    bool take(Slot& slot) {
        const uint64_t at = taken.load(std::memory_order_relaxed);
        if (at == written.load(std::memory_order_acquire)) return false;
        slot = slots[at % SIZE];
        taken.store(at + 1, std::memory_order_release);
        return true;
    }

  private:
    static constexpr uint64_t SIZE = 1024;
    alignas(64) std::atomic<uint64_t> written{0};
    alignas(64) std::atomic<uint64_t> taken{0};
    alignas(64) Slot slots[SIZE];
};

// The numbers of the orders counted so far: open addressing, at most half full.
class Seen {
  public:
    explicit Seen(size_t orders) {
        size_t size = 16;
        while (size < 2 * orders) size *= 2;
        places.assign(size, EMPTY);
    }

    bool add(int64_t id) {
        size_t at = static_cast<size_t>(static_cast<uint64_t>(id) * 0x9E3779B97F4A7C15u >> 20);
        for (;; ++at) {
            int64_t& place = places[at & (places.size() - 1)];
            if (place == id) return false;
            if (place == EMPTY) {
                place = id;
                return true;
            }
        }
    }

    size_t bytes() const { return places.size() * sizeof(int64_t); }

  private:
    static constexpr int64_t EMPTY = INT64_MIN;
    std::vector<int64_t> places;
};

// A reader on any thread sees each count as soon as it is stored.
struct Fact {
    std::atomic<int64_t> orders{0};
    std::atomic<int64_t> revenue_cents{0};

    void add(int64_t cents) {
        // Only one thread writes: no locked instruction is needed.
        revenue_cents.store(revenue_cents.load(std::memory_order_relaxed) + cents,
                            std::memory_order_relaxed);
        orders.store(orders.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
};

// What reading the clock twice costs: it stands in every duration measured here.
static int64_t clock_cost() {
    int64_t least = INT64_MAX;
    for (int i = 0; i < 10000; ++i) {
        const int64_t first = now();
        const int64_t second = now();
        if (second - first < least) least = second - first;
    }
    return least;
}

int main(int count, char** words) {
    if (count != 9) {
        std::fprintf(stderr, "low_latency takes 8 words, got %d\n", count - 1);
        return 2;
    }
    const auto orders = read<Order>(words[1]);
    const auto categories = read<uint8_t>(words[2]);
    const int64_t regions = std::atoll(words[3]), base = std::atoll(words[4]);
    const int64_t window = std::atoll(words[5]), windows = std::atoll(words[6]);
    const double rate = std::atof(words[7]);
    const std::string out = words[8];

    int64_t kinds = 0;
    for (const uint8_t category : categories)
        if (category != 255 && category >= kinds) kinds = category + 1;
    std::vector<Fact> facts(static_cast<size_t>(windows * kinds * regions));
    std::vector<int64_t> visible(orders.size()), counting(orders.size());
    Seen seen(orders.size());
    Ring ring;
    int64_t rejected = 0, repeated = 0;

    const int64_t clock = clock_cost();
    const int64_t began = now();
    std::thread source([&] {
        for (size_t i = 0; i < orders.size(); ++i) {
            int64_t due = now();
            if (rate > 0) {
                // From when it was due, not from when it was sent: a source that was held up must
                // not hide how late its orders are.
                due = began + static_cast<int64_t>(static_cast<double>(i) / rate * 1e9);
                while (now() < due) std::this_thread::yield();
            }
            while (!ring.put(orders[i], due)) std::this_thread::yield();
        }
    });
    Ring::Slot slot;
    for (size_t i = 0; i < orders.size(); ++i) {
        while (!ring.take(slot)) std::this_thread::yield();
        const int64_t taken = now();
        const Order& order = slot.order;
        const bool known = order.product_id >= 0 &&
                           static_cast<size_t>(order.product_id) < categories.size() &&
                           categories[order.product_id] != 255;
        const int64_t at = (order.timestamp - base) / window;
        if (!known || order.amount_cents < 0 || order.region < 0 || order.region >= regions ||
            order.timestamp < base || at >= windows) {
            ++rejected;
        } else if (!seen.add(order.order_id)) {
            ++repeated;
        } else {
            facts[(at * kinds + categories[order.product_id]) * regions + order.region].add(
                order.amount_cents);
        }
        const int64_t end = now();
        visible[i] = end - slot.due;
        counting[i] = end - taken;
    }
    const int64_t ended = now();
    source.join();

    std::vector<int64_t> table;
    for (const Fact& fact : facts) {
        table.push_back(fact.orders.load());
        table.push_back(fact.revenue_cents.load());
    }
    write(out + ".table", table);
    write(out + ".visible", visible);
    write(out + ".counting", counting);
    const int64_t bytes =
        static_cast<int64_t>(facts.size() * sizeof(Fact) + seen.bytes() + sizeof(Ring));
    write(out + ".summary",
          std::vector<int64_t>{ended - began, clock, bytes, rejected, repeated});
    return 0;
}
