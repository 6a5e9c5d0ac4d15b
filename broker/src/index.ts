export { createBroker, type Broker, type BrokerLimits, type BrokerOptions } from './app.js';
