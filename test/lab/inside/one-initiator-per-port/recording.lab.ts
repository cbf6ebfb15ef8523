import { describeRecordedTarget } from "../support/recorded-target.js";

describeRecordedTarget("one-initiator-per-port");
