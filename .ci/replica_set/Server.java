import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.time.Instant;
import java.util.List;

/**
 * What stands in for a MongoDB replica set in the tests of change streams: mongo-java-server, which keeps its data in
 * memory, on a free loopback port. It prints its URI once it is listening.
 */
class Server {
    /** The version it says it has: the driver talks to none before 4.4. */
    record Recent(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

    /** Sends the operation time with every answer, as the members of a replica set do. */
    static class Backend extends MemoryBackend {
        @Override
        public Document handleMessage(MongoMessage message) {
            Document answer = super.handleMessage(message);
            answer.put("operationTime", new BsonTimestamp(Instant.now(), 1));
            return answer;
        }
    }

    public static void main(String[] arguments) {
        Backend backend = new Backend();
        backend.version(new Recent(List.of(5, 0, 0), 13));
        MongoServer server = new MongoServer(backend);
        server.enableOplog();
        System.out.println("mongodb://127.0.0.1:" + server.bind().getPort() + "/");
    }
}
