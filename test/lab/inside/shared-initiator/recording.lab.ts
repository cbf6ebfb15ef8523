import { describeRecordedTarget } from "../support/recorded-target.js";

describeRecordedTarget("shared-initiator");
