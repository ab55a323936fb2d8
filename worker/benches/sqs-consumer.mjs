// sqs-consumer as its documentation shows it: ten messages a receive, handled side by side, deleted in batches.
import { SQSClient } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";

Consumer.create({
  queueUrl: process.env.SQS_QUEUE_URL,
  batchSize: 10,
  sqs: new SQSClient({ region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL }),
  handleMessageBatch: async (messages) => {
    for (const message of messages) console.log(message.Body);
    return messages;
  },
}).start();
