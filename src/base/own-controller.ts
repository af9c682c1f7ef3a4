/** Number of the switch itself among controllers (NXT_SET_CONTROLLER_ID): packets for it go to no other. "XV". */
export const OWN_CONTROLLER_ID = 0x5856;
