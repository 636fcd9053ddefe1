# SPDX-License-Identifier: GPL-2.0-or-later
# gnuplot -e "data='…'; svg='…'; title='…'" plot.gp: draws bars from the output of plot.awk.
set terminal svg size 960,480 background "white" font "sans-serif,13"
set output svg
set title title
set datafile missing "-"
set ylabel "ipcfs, where native is 1 (more is better)"
set logscale y
set yrange [0.01:20]
set ytics (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16)
set grid ytics
set style fill solid 0.8 border -1
set boxwidth 0.25
set key outside bottom center horizontal
set xtics rotate by -15 noenhanced
set bmargin 8
set arrow from graph 0, first 1 to graph 1, first 1 nohead linewidth 2
plot data using ($0 - 0.27):2:xtic(1) with boxes linecolor rgb "#4477aa" title "same CPU", \
	data using ($0):4 with boxes linecolor rgb "#66ccee" title "other CPU", \
	data using ($0 + 0.27):6 with boxes linecolor rgb "#ccbb44" title "free", \
	data using ($0 - 0.27):3 with points pointtype 2 linewidth 2 linecolor rgb "#aa3377" title "target", \
	data using ($0):5 with points pointtype 2 linewidth 2 linecolor rgb "#aa3377" notitle, \
	data using ($0 + 0.27):7 with points pointtype 2 linewidth 2 linecolor rgb "#aa3377" notitle
