import io.siddhi.core.SiddhiAppRuntime;
import io.siddhi.core.SiddhiManager;
import io.siddhi.core.event.Event;
import io.siddhi.core.stream.input.InputHandler;
import io.siddhi.core.stream.output.StreamCallback;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Sends the workload's events through a Siddhi application, several times in one JVM, each time through a fresh
 * runtime. The first passes warm the JVM and are not reported. What is reported is the CPU time of the sending
 * thread, in which Siddhi does all its work here, and of the garbage collector; the JVM's compiler is left out.
 *
 * Arguments: application file, events file (tab separated: happened, type, customer, channel, product, amount),
 * number of rules, "one" for the single stream or "own" for a stream per type, seconds of CPU for warming, measured passes,
 * most seconds of CPU for the first pass.
 */
public final class SiddhiBenchmark {
    private static long matches;
    private static Path collector;

    public static void main(String[] arguments) throws Exception {
        String application = Files.readString(Path.of(arguments[0]));
        List<Object[]> events = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String[] cells = line.split("\t");
            events.add(new Object[] {
                Long.parseLong(cells[0]), cells[1].intern(), cells[2].intern(), cells[3].intern(),
                cells[4].intern(), Double.parseDouble(cells[5])
            });
        }
        int rules = Integer.parseInt(arguments[2]);
        boolean oneStream = arguments[3].equals("one");
        double warming = Double.parseDouble(arguments[4]);
        int measured = Integer.parseInt(arguments[5]);
        double budget = Double.parseDouble(arguments[6]);

        // The first pass, cut short when its budget is used up, tells how far all of them go.
        long begun = now();
        int done = (int) pass(application, events, rules, oneStream, budget)[1];
        events = events.subList(0, done);
        while ((now() - begun) / 1e9 < warming) {
            pass(application, events, rules, oneStream, Double.MAX_VALUE);
        }
        double best = Double.MAX_VALUE;
        for (int pass = 0; pass < measured; pass++) {
            System.gc();
            best = Math.min(best, pass(application, events, rules, oneStream, Double.MAX_VALUE)[0]);
        }
        System.out.printf("{\"cpu\": %.9f, \"events\": %d, \"matches\": %d}%n", best, done, matches);
        System.exit(0);
    }

    /** Seconds of CPU, and how many events they took. */
    private static double[] pass(
            String application, List<Object[]> events, int rules, boolean oneStream, double budget) throws Exception {
        SiddhiManager manager = new SiddhiManager();
        SiddhiAppRuntime runtime = manager.createSiddhiAppRuntime(application);
        matches = 0;
        for (int rule = 0; rule < rules; rule++) {
            runtime.addCallback("Fired" + rule, new StreamCallback() {
                @Override
                public void receive(Event[] fired) {
                    matches += fired.length;
                }
            });
        }
        runtime.start();
        Map<String, InputHandler> handlers = new HashMap<>();
        for (Object[] event : events) {
            String stream = oneStream ? "Events" : (String) event[1];
            if (!handlers.containsKey(stream)) {
                handlers.put(stream, runtime.getInputHandler(stream));
            }
        }
        long start = now();
        int done = 0;
        for (Object[] event : events) {
            handlers.get(oneStream ? "Events" : (String) event[1]).send((Long) event[0], event.clone());
            if (++done % 1000 == 0 && (now() - start) / 1e9 > budget) {
                break;
            }
        }
        double cpu = (now() - start) / 1e9;
        runtime.shutdown();
        manager.shutdown();
        return new double[] {cpu, done};
    }

    /** Nanoseconds of CPU, of the sending thread and of the one that collects its garbage (-XX:+UseSerialGC). */
    private static long now() throws IOException {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() + collecting();
    }

    /** The JVM tells only the wall-clock time of its collector, which a busy machine stretches; Linux tells its CPU. */
    private static long collecting() throws IOException {
        if (collector == null) {
            try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
                for (Path thread : threads.toList()) {
                    if (Files.readString(thread.resolve("comm")).equals("VM Thread\n")) {
                        collector = thread.resolve("schedstat");
                    }
                }
            }
        }
        return Long.parseLong(Files.readString(collector).split(" ")[0]);
    }
}
