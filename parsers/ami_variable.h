/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_VARIABLE_H
#define PARSERS_AMI_VARIABLE_H

#include "parsers/slice.h"

/* The channel variables that are read from VarSet (schemas/ami_variables.def). */
enum ami_variable {
    AMI_VARIABLE_NONE,
#define AMI_VARIABLE(id, name, role, wanted) AMI_VARIABLE_##id,
#include "schemas/ami_variables.def"
#undef AMI_VARIABLE
    AMI_VARIABLE_TOTAL
};

/* The variable of exactly that name; AMI_VARIABLE_NONE for any other. */
enum ami_variable ami_variable_from_slice(struct slice name);

/* Its name, a constant; "" for AMI_VARIABLE_NONE. */
const char *ami_variable_name(enum ami_variable variable);

/* Whether it is set together with a look at the channel that raises no event (Asterisk 22). */
bool ami_variable_is_look(enum ami_variable variable);

/* Whether a filter of events must let it through; what is read but not wanted adds nothing to it.
 */
bool ami_variable_is_wanted(enum ami_variable variable);

#endif
