#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: every lane structure, in many shapes, delivers the sums that the header of flx_lanes
# promises; every kind of carry row on the ECP5's cells is its arithmetic (SAT); impossible
# parameters stop elaboration. FLX_SEED: seed, FLX_SHAPES: a regular expression.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
work=build/rtl-lanes
mkdir -p "$work"
rtl=(rtl/core/flx_lanes*.v rtl/core/flx_delay.v rtl/core/flx_ring.v rtl/tech/*.v)

shapes() {
    cat <<'END'
plain K=8 T=8 LANES=0
plain-coded K=12 T=8 LANES=0 CODED=1
pairs K=16 T=8 LANES=1
pairs-coded K=16 T=16 LANES=1 CODED=1
pairs-k32 K=32 T=8 LANES=1
pairs-k4 K=4 T=8 LANES=1
pairs-k20 K=20 T=24 LANES=1
pairs-k48-a4 K=48 T=8 LANES=1 ACT_W=4
rows K=16 T=16 LANES=2
rows-coded K=32 T=8 LANES=2 CODED=1
rows-k4 K=4 T=8 LANES=2
rows-k8 K=8 T=8 LANES=2 CODED=1
rows-k20 K=20 T=20 N_OUT=20 LANES=2
rows-k48-a4 K=48 T=8 LANES=2 CODED=1 ACT_W=4
rows-fan K=16 T=16 LANES=2 FAN=4
rows-fan-coded K=8 T=24 LANES=2 FAN=16 CODED=1
rows-acc21 K=16 T=16 LANES=2 ACC_W=21
END
}

run_shape() { # NAME PARAMETERS
    local word args="" log variant
    for word in $2; do args="$args -Ptb_lanes.$word"; done
    # With and without the ECP5's cells; Yosys brings their model.
    for variant in behavioural cells; do
        local extra=()
        if [ "$variant" = cells ]; then
            [[ $2 == *LANES=2* ]] || continue
            extra=(-DFLX_ECP5 "$work/ccu2c.v")
        fi
        # shellcheck disable=SC2086
        iverilog -g2005 -s tb_lanes $args -o "$work/$1.vvp" "${extra[@]}" \
            tests/rtl/lanes/tb_lanes.v "${rtl[@]}"
        log=$(vvp -n "$work/$1.vvp" +seed="$seed")
        echo "$1 ($variant): $log"
        [[ $log == *PASS* ]] || return 1
    done
}

# prove_row W KIND TOP: cells == arithmetic. Bits that the kind wants equal are tied.
prove_row() {
    local dir=$work/row tie
    case $2 in
    0) tie=".i_a(a), .i_b({$1{b[0]}}), .i_c(c), .i_d({$1{d[0]}})" ;;
    1)
        tie=".i_a(a), .i_b(b), .i_c({c[$1-1:1], b[0]}), .i_d({$1{d[0]}})"
        (($1 % 2 == ($3 == 0 ? 0 : 1))) || tie=".i_a(a), .i_b(b), .i_c(c), .i_d({$1{d[0]}})"
        ;;
    2) tie=".i_a(a), .i_b(b), .i_c({$1{c[0]}}), .i_d(d)" ;;
    6) tie=".i_a(a), .i_b(b), .i_c({$1{c[0]}}), .i_d({$1{d[0] || !c[0]}})" ;;
    *) tie=".i_a(a), .i_b(b), .i_c(c), .i_d(d)" ;;
    esac
    mkdir -p "$dir"
    cat >"$dir/miter.v" <<END
module miter(input [$1-1:0] a, b, c, d);
    wire [$1:0] x, y;
    row_cells #(.W($1), .KIND($2), .TOP($3)) u_cells ($tie, .o(x));
    row_model #(.W($1), .KIND($2), .TOP($3)) u_model ($tie, .o(y));
    always @* assert (x == y);
endmodule
END
    sed 's/module flx_carry_row/module row_cells/' rtl/tech/flx_carry_row.v >"$dir/cells.v"
    sed 's/module flx_carry_row/module row_model/' rtl/tech/flx_carry_row.v >"$dir/model.v"
    yosys -q -p "read_verilog -DFLX_ECP5 $dir/cells.v; read_verilog $dir/model.v;
        read_verilog $work/ccu2c.v; read_verilog -formal $dir/miter.v; hierarchy -top miter;
        proc; flatten; opt_clean; select -assert-count 1 t:\$assert; sat -verify -prove-asserts" \
        >"$dir/log" 2>&1 || {
        echo "row W=$1 KIND=$2 TOP=$3:"
        tail "$dir/log"
        return 1
    }
}

# A multiplexer of $1 bits on the ECP5's cells is one.
prove_pick() {
    local dir=$work/row
    sed 's/module flx_pick/module pick_cells/' rtl/tech/flx_pick.v >"$dir/cells.v"
    echo "module miter(input [$1-1:0] i, input [$(($2 - 1)):0] sel); wire o;
        pick_cells #(.N($1)) u_cells (.i(i), .i_sel(sel), .o(o));
        always @* assert (o == i[sel]); endmodule" >"$dir/miter.v"
    yosys -q -p "read_verilog -DFLX_ECP5 $dir/cells.v $work/ccu2c.v;
        read_verilog -formal $dir/miter.v; hierarchy -top miter; proc; flatten; opt_clean;
        select -assert-count 1 t:\$assert; sat -verify -prove-asserts" >"$dir/log" 2>&1
}

refused() { # PARAMETER=VALUE...
    local word args=""
    for word in "$@"; do args="$args -Pflx_lanes.$word"; done
    # shellcheck disable=SC2086
    if log=$(iverilog -g2005 -s flx_lanes -t null $args "${rtl[@]}" 2>&1) ||
        [[ $log != *flx_error_LANES* ]]; then
        echo "flx_lanes takes $*: $log"
        return 1
    fi
    echo "refused: $*"
}

# Yosys's model of the cell, without its delays, which Icarus does not read.
awk '/^module (LUT4|LUT2|CCU2C|PFUMX|L6MUX21|TRELLIS_FF) *\(/ { on = 1 } on && /specify/ { skip = 1 }
    on && !skip { print } /endspecify/ { skip = 0 } /^endmodule/ { on = 0 }' \
    "$(dirname "$(command -v yosys)")/../share/yosys/ecp5/cells_sim.v" >"$work/ccu2c.v"

while read -r name params; do
    [[ $name =~ ${FLX_SHAPES:-.} ]] || continue
    run_shape "$name" "$params"
done < <(shapes)
[ -z "${FLX_SHAPES:-}" ] || exit 0

for kind in 0 1 2 3 4 5 6 7; do
    for width in 3 4 9; do
        for top in 0 1 2; do prove_row $width $kind $top; done
    done
done
echo "carry rows proved"
prove_pick 4 2
prove_pick 16 4
echo "multiplexers proved"
refused LANES=3
