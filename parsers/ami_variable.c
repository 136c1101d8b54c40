/* SPDX-License-Identifier: MIT */
#include "parsers/ami_variable.h"

enum role { VALUE, LOOK };

static const struct row {
    struct slice name;
    enum role role;
    bool wanted;
} rows[AMI_VARIABLE_TOTAL] = {
    {{"", 0}, VALUE, false},
#define AMI_VARIABLE(id, name, role, wanted) {{name, sizeof(name) - 1}, role, wanted},
#include "schemas/ami_variables.def"
#undef AMI_VARIABLE
};

enum ami_variable ami_variable_from_slice(struct slice name)
{
    for (enum ami_variable v = AMI_VARIABLE_NONE + 1; v < AMI_VARIABLE_TOTAL; v++) {
        if (slice_equal(name, rows[v].name))
            return v;
    }
    return AMI_VARIABLE_NONE;
}

const char *ami_variable_name(enum ami_variable variable)
{
    return rows[variable].name.p;
}

bool ami_variable_is_look(enum ami_variable variable)
{
    return rows[variable].role == LOOK;
}

bool ami_variable_is_wanted(enum ami_variable variable)
{
    return rows[variable].wanted;
}
