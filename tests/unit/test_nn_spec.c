/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/nn.h"
#include "flexor/status.h"

static struct flx_net *build(const struct flx_net_spec *spec, int side, int channels)
{
    struct flx_net *net = NULL;
    const struct flx_net_config c = {.mode = FLX_NN_QUANT,
                                     .act_bits = 8,
                                     .planes = 1,
                                     .batch = 1,
                                     .in_h = side,
                                     .in_w = side,
                                     .in_c = channels,
                                     .threads = 1};
    assert_int_equal(flx_net_create(spec, &c, &net), FLX_OK);
    return net;
}

static size_t weights_of(const struct flx_net *net)
{
    size_t n = 0;
    for (int i = 0; i < net->n_nodes; i++)
        n += net->nodes[i].n_weights;
    return n;
}

static void resnet20_and_32_have_the_papers_shape(void **state)
{
    (void)state;
    struct flx_net_spec spec;
    assert_int_equal(flx_net_spec_named("resnet20", 10, 6, 7, &spec), FLX_OK);
    struct flx_net *net = build(&spec, 32, 3);
    assert_int_equal(net->n_nodes, 20);
    assert_int_equal(weights_of(net), 268336);
    const struct flx_node *growth = &net->nodes[8], *last = &net->nodes[18];
    assert_string_equal(growth->name, "s2b1b");
    assert_int_equal(growth->skip, 6);
    assert_int_equal(growth->skip_stride, 2);
    assert_int_equal(last->conv_h, 8);
    assert_int_equal(last->out_h, 1);
    assert_int_equal(last->pool_shift, 5);
    assert_int_equal(net->nodes[0].weight_bits, 6);
    assert_int_equal(net->nodes[19].weight_bits, 7);
    assert_int_equal(spec.nodes[0].stage, 0);
    assert_int_equal(spec.nodes[7].stage, 2);
    flx_net_free(net);
    assert_int_equal(flx_net_spec_named("resnet32", 10, 6, 6, &spec), FLX_OK);
    assert_int_equal(spec.n_nodes, 32);
}

static void resnet18_has_projections_and_an_overlapping_pool(void **state)
{
    (void)state;
    struct flx_net_spec spec;
    assert_int_equal(flx_net_spec_named("resnet18", 1000, 6, 6, &spec), FLX_OK);
    struct flx_net *net = build(&spec, 224, 3);
    assert_int_equal(net->n_nodes, 21);
    assert_int_equal(net->nodes[0].conv_h, 112);
    assert_int_equal(net->nodes[0].out_h, 56);
    assert_int_equal(net->nodes[5].kind, FLX_NODE_LINEAR);
    assert_int_equal(net->nodes[5].zero_out, 128);
    assert_int_equal(net->nodes[7].skip, 5);
    assert_int_equal(net->nodes[6].input, 4);
    assert_int_equal(weights_of(net), 11678912);
    flx_net_free(net);
}

static void an_unknown_name_lists_the_known_ones(void **state)
{
    (void)state;
    struct flx_net_spec spec;
    assert_int_equal(flx_net_spec_named("resnet21", 10, 6, 6, &spec), FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), "resnet20"));
}

static void a_description_says_what_a_name_does(void **state)
{
    (void)state;
    static const char json[] =
        "{\"name\": \"lenet5\", \"nodes\": ["
        "{\"name\": \"conv1\", \"out_c\": 32, \"kernel\": 5, \"pool\": {\"size\": 2}},"
        "{\"name\": \"conv2\", \"out_c\": 64, \"kernel\": 5, \"pool\": {\"size\": 2}},"
        "{\"name\": \"fc1\", \"out_c\": 512, \"kernel\": 0},"
        "{\"name\": \"fc2\", \"out_c\": 10, \"kernel\": 0, \"kind\": \"logits\"}]}";
    struct flx_net_spec a, b;
    assert_int_equal(flx_net_spec_parse("test", json, &a), FLX_OK);
    assert_int_equal(flx_net_spec_named("lenet5", 10, 0, 0, &b), FLX_OK);
    assert_string_equal(a.name, b.name);
    assert_int_equal(a.n_nodes, b.n_nodes);
    for (int i = 0; i < a.n_nodes; i++)
        assert_memory_equal(&a.nodes[i], &b.nodes[i], sizeof a.nodes[i]);
}

static void every_key_of_a_description_is_read(void **state)
{
    (void)state;
    static const char json[] =
        "{\"name\": \"n\", \"nodes\": ["
        "{\"name\": \"a\", \"input\": \"image\", \"out_c\": 4, \"kernel\": 3, \"pad\": 1},"
        "{\"name\": \"p\", \"kind\": \"linear\", \"input\": \"a\", \"out_c\": 8, \"kernel\": 1,"
        " \"weight_bits\": 3},"
        "{\"name\": \"b\", \"kind\": \"relu\", \"input\": \"a\", \"skip\": \"p\", \"out_c\": 8,"
        " \"kernel\": 3, \"stride\": 2, \"pad\": 1, \"stage\": 2,"
        " \"pool\": {\"kind\": \"mean\", \"size\": 3, \"stride\": 2, \"pad\": 1}}]}";
    struct flx_net_spec s;
    assert_int_equal(flx_net_spec_parse("test", json, &s), FLX_OK);
    const struct flx_node_spec *p = &s.nodes[1], *b = &s.nodes[2];
    assert_int_equal(p->kind, FLX_NODE_LINEAR);
    assert_int_equal(p->weight_bits, 3);
    assert_int_equal(b->input, 0);
    assert_int_equal(b->skip, 1);
    assert_int_equal(b->stride, 2);
    assert_int_equal(b->pad, 1);
    assert_int_equal(b->stage, 2);
    assert_int_equal(b->pool, 3);
    assert_int_equal(b->pool_stride, 2);
    assert_int_equal(b->pool_pad, 1);
    assert_int_equal(b->pool_kind, FLX_NN_POOL_MEAN);
    assert_int_equal(s.nodes[0].skip, FLX_NN_NO_SKIP);
}

static void what_is_not_supported_is_refused_with_the_list(void **state)
{
    (void)state;
#define NET(node) "{\"name\": \"n\", \"nodes\": [" node "]}"
    static const struct {
        const char *json;
        int status;
        const char *says;
    } cases[] = {
        {"{", FLX_ERR_FORMAT, "is not JSON"},
        {"[]", FLX_ERR_FORMAT, "not a JSON object"},
        {"{\"name\": \"n\", \"nodes\": []}", FLX_ERR_FORMAT, "1 to 64"},
        {"{\"name\": \"n\", \"layers\": []}", FLX_ERR_UNSUPPORTED, "name, nodes"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"dilation\": 2}"),
         FLX_ERR_UNSUPPORTED, "weight_bits"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"kind\": \"gelu\"}"),
         FLX_ERR_UNSUPPORTED, "relu, linear, logits"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, "
             "\"pool\": {\"kind\": \"median\", \"size\": 2}}"),
         FLX_ERR_UNSUPPORTED, "max, mean"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"pool\": {\"stride\": 2}}"),
         FLX_ERR_FORMAT, "size"},
        {NET("{\"name\": \"a\", \"out_c\": 4}"), FLX_ERR_FORMAT, "kernel"},
        {NET("{\"name\": \"a\", \"kernel\": 1}"), FLX_ERR_FORMAT, "out_c"},
        {NET("{\"out_c\": 4, \"kernel\": 1}"), FLX_ERR_FORMAT, "'name'"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"skip\": \"b\"}"), FLX_ERR_FORMAT,
         "no node before"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"weight_bits\": 8}"), FLX_ERR_FORMAT,
         "0 to 7"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"weight_bits\": 1}"), FLX_ERR_FORMAT,
         "2 to 7"},
        {NET("{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1},"
             "{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1}"),
         FLX_ERR_FORMAT, "same name"},
    };
#undef NET
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flx_net_spec s;
        assert_int_equal(flx_net_spec_parse("file.json", cases[i].json, &s), cases[i].status);
        assert_non_null(strstr(flx_last_error(), "file.json"));
        assert_non_null(strstr(flx_last_error(), cases[i].says));
    }
}

/* One change each to a net that is fine. */
static void nets_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct flx_net_config c = {.mode = FLX_NN_QUANT,
                                     .act_bits = 8,
                                     .planes = 1,
                                     .batch = 1,
                                     .in_h = 8,
                                     .in_w = 8,
                                     .in_c = 3,
                                     .threads = 1};
    static const char json[] =
        "{\"name\": \"n\", \"nodes\": ["
        "{\"name\": \"a\", \"out_c\": 4, \"kernel\": 1, \"kind\": \"linear\"},"
        "{\"name\": \"b\", \"out_c\": 4, \"kernel\": 1},"
        "{\"name\": \"c\", \"out_c\": 4, \"kernel\": 3, \"skip\": \"a\","
        " \"pad\": 1},"
        "{\"name\": \"d\", \"out_c\": 3, \"kernel\": 0,"
        " \"kind\": \"logits\"}]}";
    struct flx_net_spec fine, s;
    struct flx_net *net = NULL;
    assert_int_equal(flx_net_spec_parse("test", json, &fine), FLX_OK);
    assert_int_equal(flx_net_create(&fine, &c, &net), FLX_OK);
    flx_net_free(net);
    net = NULL;
    s = fine;
    s.nodes[1].kernel = 3; /* padding around signed codes */
    s.nodes[1].pad = 1;
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[2].pad = 0; /* a map of 6x6, and 8x8 to add */
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[2].out_c = 3; /* fewer channels than the skip */
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[2].input = 0; /* nothing reads b */
    s.nodes[2].pad = 0;
    s.nodes[2].kernel = 1;
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[3].kind = FLX_NODE_RELU; /* no logits */
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[3].kernel = 3; /* logits at 36 places */
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    s = fine;
    s.nodes[2].skip = 2; /* itself */
    assert_int_equal(flx_net_create(&s, &c, &net), FLX_ERR_ARG);
    assert_null(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet20_and_32_have_the_papers_shape),
        cmocka_unit_test(resnet18_has_projections_and_an_overlapping_pool),
        cmocka_unit_test(an_unknown_name_lists_the_known_ones),
        cmocka_unit_test(a_description_says_what_a_name_does),
        cmocka_unit_test(every_key_of_a_description_is_read),
        cmocka_unit_test(what_is_not_supported_is_refused_with_the_list),
        cmocka_unit_test(nets_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
