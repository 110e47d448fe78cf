/** A process to be killed: records in an open transaction, delivered to the broker and not committed. */
import kafka from 'node-rdkafka';

const [brokers = '', topic = '', transactionalId = ''] = process.argv.slice(2);
const producer = new kafka.Producer({ 'metadata.broker.list': brokers, 'transactional.id': transactionalId, 'enable.idempotence': true });
producer.setPollInterval(10);
producer.connect({}, () => {
  producer.initTransactions(10_000, (failed) => {
    if (failed) throw failed;
    producer.beginTransaction(() => {
      for (let i = 0; i < 1000; i += 1) producer.produce(topic, null, Buffer.from(String(i)), `k${i}`);
      producer.flush(10_000, () => process.stdout.write('open\n'));
    });
  });
});
