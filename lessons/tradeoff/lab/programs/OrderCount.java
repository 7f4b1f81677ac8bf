// The streaming count on Kafka Streams: orders and their cents by window, category and region.
//
//     java -cp JARS OrderCount.java servers=HOST:PORT application=NAME state=FOLDER
//         products=FILE orders=TOPIC counts=TOPIC dead=TOPIC
//         window=SECONDS grace=SECONDS commit=MILLISECONDS once=true pause=PHASE at=N mark=FILE
//
// Each order is counted once and each result is seen once, also when the program is killed:
// `exactly_once_v2` puts the results, the changes of state and the offsets read into one
// transaction of Kafka. A reader of `read_committed` sees a result when its transaction commits.

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

public class OrderCount {
    static final ObjectMapper JSON =
        new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    static final String NEVER = String.valueOf(Long.MAX_VALUE);
    static Map<String, String> asked;
    static Map<Long, String> categories; // of the products

    // --- what is counted -------------------------------------------------------------------------

    /** An order as read from its message; `problem` says why it cannot be counted, or is null. */
    record Order(long id, String group, long millis, long cents, byte[] raw, String problem) {
        static Order read(byte[] raw) {
            if (raw == null) return new Order(0, null, -1, 0, new byte[0], "no value");
            try {
                JsonNode order = JSON.readTree(raw);
                long id = whole(order, "order_id");
                long micros = whole(order, "order_timestamp");
                long product = whole(order, "product_id");
                long cents = whole(order, "amount_cents");
                JsonNode region = order.path("region");
                if (region.isMissingNode()) throw new IllegalArgumentException("region is missing");
                if (!region.isTextual() || region.asText().isEmpty())
                    throw new IllegalArgumentException("region is not a name");
                if (!categories.containsKey(product))
                    throw new IllegalArgumentException("no product " + product);
                String group = categories.get(product) + "\t" + region.asText();
                return new Order(id, group, micros / 1000, cents, raw, null);
            } catch (IOException error) {
                return new Order(0, null, -1, 0, raw, "not JSON");
            } catch (IllegalArgumentException error) {
                return new Order(0, null, -1, 0, raw, error.getMessage());
            }
        }

        static long whole(JsonNode order, String field) {
            JsonNode value = order.path(field);
            if (value.isMissingNode()) throw new IllegalArgumentException(field + " is missing");
            if (!value.canConvertToLong() || !value.isIntegralNumber())
                throw new IllegalArgumentException(field + " is not a whole number");
            if (value.asLong() < 0) throw new IllegalArgumentException(field + " is below 0");
            return value.asLong();
        }

        boolean good() {
            return problem == null;
        }

        String deadLetter() {
            String message = new String(raw, StandardCharsets.UTF_8);
            return JSON.createObjectNode()
                .put("reason", problem).put("message", message).toString();
        }
    }

    /** Orders and cents of one group in one window; 16 bytes in the state store. */
    record Count(long orders, long cents) {
        Count plus(long amount) {
            return new Count(orders + 1, cents + amount);
        }

        static byte[] write(Count count) {
            if (count == null) return null;
            return ByteBuffer.allocate(16).putLong(count.orders).putLong(count.cents).array();
        }

        static Count read(byte[] bytes) {
            if (bytes == null) return null;
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new Count(buffer.getLong(), buffer.getLong());
        }

        KeyValue<String, String> result(Windowed<String> key) {
            String[] group = key.key().split("\t", 2);
            long start = key.window().start();
            String result = JSON.createObjectNode().put("window_start", start * 1000)
                .put("category", group[0]).put("region", group[1])
                .put("orders", orders).put("revenue_cents", cents).toString();
            return KeyValue.pair(start + "\t" + key.key(), result);
        }
    }

    static Topology topology(Duration window, Duration grace) {
        Serde<String> text = Serdes.String();
        Serde<Order> order =
            Serdes.serdeFrom((topic, it) -> it.raw(), (topic, raw) -> Order.read(raw));
        Serde<Count> count =
            Serdes.serdeFrom((topic, it) -> Count.write(it), (topic, raw) -> Count.read(raw));
        StreamsBuilder builder = new StreamsBuilder();

        // Event time: the order's own. A message without one takes the time of those before it.
        KStream<String, Order> read = builder.stream(asked.get("orders"), Consumed.with(text, order)
            .withTimestampExtractor((record, before) ->
                record.value() instanceof Order it && it.good()
                    ? it.millis() : Math.max(before, 0)));
        read.filter((key, it) -> !it.good())
            .mapValues(Order::deadLetter)
            .to(asked.get("dead"), Produced.with(text, text));

        KStream<String, Order> good = read.filter((key, it) -> it.good());
        if (asked.get("once").equals("true")) {
            // A copy has its order's time. So an order need be remembered only while its window can
            // still change: a copy that comes later than that is late anyway.
            Duration kept = window.plus(grace);
            builder.addStateStore(Stores.windowStoreBuilder(
                Stores.persistentWindowStore("seen", kept, Duration.ofMillis(1), false),
                Serdes.Long(), Serdes.ByteArray()));
            good = good.processValues(Once::new, "seen");
        }
        // The orders of one group lie in all partitions. They go through a topic by group, and are
        // read from there once the transaction that wrote them has committed.
        good.map((key, it) -> KeyValue.pair(it.group(), it.cents()))
            .groupByKey(Grouped.with("group", text, Serdes.Long()))
            .windowedBy(TimeWindows.ofSizeAndGrace(window, grace))
            .aggregate(() -> new Count(0, 0), (group, cents, sum) -> sum.plus(cents),
                Materialized.<String, Count, WindowStore<Bytes, byte[]>>as("count")
                    .withKeySerde(text).withValueSerde(count))
            .toStream()
            .map((key, sum) -> sum.result(key))
            .to(asked.get("counts"), Produced.with(text, text));
        return builder.build();
    }

    /** Passes the first message of an order on, and no copy of it. */
    static class Once implements FixedKeyProcessor<String, Order, Order> {
        FixedKeyProcessorContext<String, Order> context;
        WindowStore<Long, byte[]> seen;

        public void init(FixedKeyProcessorContext<String, Order> context) {
            this.context = context;
            this.seen = context.getStateStore("seen");
        }

        public void process(FixedKeyRecord<String, Order> record) {
            long id = record.value().id();
            if (seen.fetch(id, record.timestamp()) != null) return;
            seen.put(id, new byte[0], record.timestamp());
            context.forward(record);
        }
    }

    // --- where it can be killed ------------------------------------------------------------------

    /** Stops for good at the moment asked for, and says so in a file: it can be killed there. */
    static class Pausing extends KafkaProducer<byte[], byte[]> {
        int results;

        Pausing(Map<String, Object> config) {
            super(config, new ByteArraySerializer(), new ByteArraySerializer());
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback done) {
            if (record.topic().equals(asked.get("counts"))) {
                results++;
                reached("before the write");
            }
            return super.send(record, done);
        }

        @Override
        public void commitTransaction() {
            flush(); // all of it has been written, none of it is to be seen
            reached("between write and commit");
            super.commitTransaction();
            reached("after the commit");
        }

        void reached(String phase) {
            if (!phase.equals(asked.get("pause"))) return;
            if (results < Integer.parseInt(asked.get("at"))) return;
            try {
                Files.writeString(Path.of(asked.get("mark")), String.valueOf(results));
                Thread.sleep(Long.MAX_VALUE);
            } catch (IOException | InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    // --- the program -----------------------------------------------------------------------------

    public static void main(String[] words) throws Exception {
        asked = new HashMap<>(Map.of("once", "true", "pause", ""));
        for (String word : words) asked.put(word.split("=", 2)[0], word.split("=", 2)[1]);
        // A file of "product_id,category", read once: the catalogue does not change in a run.
        try (Stream<String> lines = Files.lines(Path.of(asked.get("products")))) {
            categories = lines.map(line -> line.split(",", 2))
                .collect(Collectors.toMap(field -> Long.valueOf(field[0]), field -> field[1]));
        }
        Duration window = Duration.ofSeconds(Long.parseLong(asked.get("window")));
        Duration grace = Duration.ofSeconds(Long.parseLong(asked.get("grace")));
        KafkaClientSupplier clients = new DefaultKafkaClientSupplier() {
            @Override
            public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
                return new Pausing(config);
            }
        };
        KafkaStreams streams = new KafkaStreams(topology(window, grace), settings(), clients);
        CountDownLatch over = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            System.out.println(now);
            if (now == KafkaStreams.State.ERROR) over.countDown();
        });
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("late " + late(streams));
            streams.close(Duration.ofSeconds(8));
        }));
        streams.start();
        over.await();
        System.exit(1);
    }

    static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, asked.get("application"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, asked.get("servers"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, asked.get("state"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, asked.get("commit"));
        // Without a cache every order's result is written, not the last of each commit only.
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        // A fixed member of its group: started again it takes its place, no time-out waited for.
        settings.put(StreamsConfig.consumerPrefix("group.instance.id"), asked.get("application"));
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 10_000);
        // Topics keep and take messages by their event time; a simulated day may lie far from now.
        settings.put(StreamsConfig.topicPrefix("message.timestamp.after.max.ms"), NEVER);
        settings.put(StreamsConfig.WINDOW_STORE_CHANGE_LOG_ADDITIONAL_RETENTION_MS_CONFIG,
            Duration.ofDays(36_500).toMillis());
        return settings;
    }

    /** Orders left out because they came after their window had closed. */
    static long late(KafkaStreams streams) {
        return (long) streams.metrics().values().stream()
            .filter(metric -> metric.metricName().name().equals("dropped-records-total"))
            .filter(metric -> metric.metricName().tags().get("task-id").startsWith("1_")) // counts
            .mapToDouble(metric -> (Double) metric.metricValue()).sum();
    }
}
