/* Commands and options: everything that is known about them. */
#include "options.h"
#include "cmd.h"

#define IN(field)                   offsetof(settings, field)
#define DATA_COMMANDS               (TRAIN | EVAL | PREDICT | REPORT)
#define CHOICE_OF(name, text, what) text "|"

/* clang-format off */
const option options[] = {
    {"target", "COLUMN", .commands = TRAIN | EVAL | REGIONS | REPORT, .kind = OPTION_TEXT, .at = IN(target),
     .help = "the column to learn: its name, or its number from 1. Text, or few different whole numbers (10; up to 64 where each has 5 rows on average), are classes; "
             "anything else is a number to be predicted. Several, as a,b: all numbers, or all yes or no"},
    {"weights", "COLUMN", .commands = TRAIN | EVAL | REPORT, .kind = OPTION_TEXT, .at = IN(weights),
     .help = "a column that says how much each row counts"},
    {"ignore", "COLUMNS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(ignore),
     .help = "columns to leave out, as id,name"},
    {"categorical", "COLUMNS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(categorical),
     .help = "columns of numbers that are categories, as postcodes are; and text columns to keep though they are nearly always another text"},
    {"numeric", "COLUMNS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(numeric),
     .help = "columns to take as numbers, though there is other text in them, which counts as missing; a target: a number to be predicted, not "
             "classes"},
    {"missing", "WHAT", .commands = TRAIN, .kind = OPTION_CHOICE, .choices = "mean|refuse", .preset = "mean", .at = IN(missing),
     .help = "what stands for a missing value: the column's mean, or its most common category, with an input of its own that says so; or such rows are "
             "refused"},
    {"embed-above", "N", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 1, .hi = 16777216, .preset = "32", .at = IN(embed_above),
     .help = "a column of more categories than that is embedded: each category gets a few numbers that are learned. Others have an input for each "
             "category"},
    {"unknown", "WHAT", .commands = PREDICT | EVAL | TRAIN, .kind = OPTION_CHOICE, .choices = "error|missing", .preset = "error", .at = IN(unknown),
     .help = "what a category is that the training data did not have: an error, or a missing value. In what bprop train holds out or reads as --valid "
             "and --test it is a missing value, and told, unless an error is asked for"},
    {"test", "FILE|FRACTION", .commands = TRAIN, .kind = OPTION_PART, .hi = 1, .hi_out = true, .preset = "0", .at = IN(test),
     .help = "what the finished network is judged by: a file of the same kind (images with labels are two files), or a share of the "
             "data, as 0.25 or 25%, held out before all else"},
    {"valid", "FILE|FRACTION", .commands = TRAIN, .kind = OPTION_PART, .hi = 1, .hi_out = true, .preset = "0.1", .at = IN(valid),
     .help = "what decides when to stop, in the same form; 0: nothing, every epoch is run"},
    {"output", "FILE", .aside = true, .commands = TRAIN | PICTURES | MATRICES | REPORT, .kind = OPTION_TEXT, .letter = 'o', .at = IN(output),
     .help = "the file to write. A model: else the name of the data with .safetensors, in the current folder. A picture, "
             "NAME.svg or NAME.png: else SVG on standard output. A matrix: NAME.mtx (Matrix Market), "
             "NAME.npz (scipy.sparse.load_npz) or NAME.npy (dense). A report, NAME.html: else on standard output"},

    {"by", "COLUMN", .commands = EVAL, .kind = OPTION_TEXT, .at = IN(by),
     .help = "measure groups of rows apart, by a column of the CSV file, whether the network knows it or not: each category, each of a few "
             "numbers, or five ranges with as many rows each"},
    {"log", "FILE.jsonl", .aside = true, .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(log),
     .help = "write the training to a file as it goes, one JSON object a line: what begins, each epoch, how it ended"},
    {"tensorboard", "DIR", .aside = true, .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(tensorboard),
     .help = "write its curves into a folder for TensorBoard; a folder for each run keeps them apart"},
    {"from", "MODEL", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(start),
     .help = "start from a trained network: its columns as it takes them, its layers and its weights. Where the classes are others, its last layer is new"},
    {"freeze", "LAYERS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(freeze),
     .help = "layers, or single parameters, that are not trained, as layer1,layer2.b: of a network that --from names"},
    {"folds", "N", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 2, .hi = 1000, .preset = "auto", .at = IN(folds),
     .help = "cross-validation: train so often, each time without another part of the rows, and judge on that; then train the model on all of them, for the "
             "median of the best epochs. auto: none"},
    {"checkpoint-every", "STEPS|TIME", .aside = true, .commands = TRAIN, .kind = OPTION_EVERY, .hi = 1e12, .preset = "5m", .at = IN(checkpoint),
     .help = "how often the training is saved, so that --resume can go on with it when it was killed: steps, as 1000, or a time, as 90s, 10m, 2h; "
             "0: only when it is interrupted"},
    {"resume", "MODEL|STUDY", .aside = true, .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(resume),
     .help = "go on with a training that was interrupted or killed, from the model file that it saved: with its data and options, and the result "
             "that it would have had; --epochs may be given anew. One that is finished is told again. Of bprop tune: the number of a search, in its folder"},

    {"hidden", "WIDTHS", .commands = TRAIN, .kind = OPTION_WIDTHS, .lo = 1, .hi = 1e6, .preset = "auto", .at = IN(hidden),
     .help = "widths of the hidden layers, as 256,128; 0 or none: no hidden layer, a linear model; auto: 256"},
    {"activation", "NAME", .commands = TRAIN, .kind = OPTION_TEXT, .preset = "relu", .at = IN(activation),
     .help = "of the hidden layers: any elementwise operation of one input (`bprop ops`), or maxout(2), or none"},
    {"dropout", "P", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1, .hi_out = true, .preset = "0", .at = IN(dropout),
     .help = "share of each hidden layer's values set to 0 while training"},
    {"model", "LAYERS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(model),
     .help = "the network's layers (`bprop layers`), instead of the three above: 'conv 32 3 same relu, maxpool, dense 64 relu, "
             "dropout 0.2'. A last layer for the answers is added where it is missing"},
    {"init", "NAME", .commands = TRAIN, .kind = OPTION_CHOICE, .choices = BP_INIT_LIST(CHOICE_OF), .preset = "default", .at = IN(init),
     .help = "how weights start"},
    {"init-scale", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e6, .lo_out = true, .preset = "auto", .at = IN(init_scale),
     .help = "factor on what --init says; of constant, uniform and normal the value, end and deviation itself"},
    {"dtype", "TYPE", .commands = (TRAIN | EXPRESSIONS) & ~CHECK, .kind = OPTION_CHOICE, .choices = "auto|float32|float64", .preset = "auto", .at = IN(dtype),
     .help = "numbers to compute with; auto: float32 to train, float64 for programs"},

    {"epochs", "N", .anew = true, .commands = TRAIN, .kind = OPTION_COUNT, .lo = 1, .hi = 1e8, .preset = "200", .at = IN(epochs),
     .help = "most passes over the training data"},
    {"patience", "N", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 1, .hi = 1e9, .preset = "auto", .at = IN(patience),
     .help = "stop after so many epochs without a better validation loss or metric (10, and at least 1,000 steps)"},
    {"metric", "NAME", .commands = TRAIN, .kind = OPTION_TEXT, .preset = "auto", .at = IN(metric),
     .help = "what says on the validation rows which epoch is best and when to stop: a metric, as accuracy, auc, f1, top(3), rmse, mae, r2, "
             "or loss; auto: the loss, but a better accuracy or R2 is a reason to go on"},
    {"refit", "WHEN", .commands = TRAIN, .kind = OPTION_CHOICE, .choices = "auto|yes|no", .preset = "auto", .at = IN(refit),
     .help = "once the best epoch is known, begin again and learn for so many epochs from the rows held out for validation too; auto: where there are "
             "under 10,000 rows to train on"},
    {"batch", "N", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 1, .hi = 1e9, .preset = "auto", .at = IN(batch),
     .help = "examples in one step"},
    {"accumulate", "N", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 1, .hi = 1e6, .preset = "1", .at = IN(accumulate),
     .help = "batches whose gradients make one step, as one of so many times --batch would: where such a batch does not fit into memory"},
    {"loss", "NAME|EXPR", .commands = TRAIN, .kind = OPTION_TEXT, .preset = "auto", .at = IN(loss),
     .help = "what is made small: softmax, of classes; multilabel, of several targets that are true or not; mse, l1, huber(1), quantile(0.5), "
             "poisson, of numbers; or an expression (docs/language.md) of outputs p, targets y and weights w that gives one number: "
             "'mean((p-y)**2)'"},
    {"link", "NAME", .commands = TRAIN, .kind = OPTION_CHOICE, .choices = "auto|identity|exp|sigmoid|softmax", .preset = "auto", .at = IN(link),
     .help = "of a loss that is an expression: what makes predictions of outputs; auto: softmax for classes, else identity"},
    {"class-weights", "WEIGHTS", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(class_weights),
     .help = "how much a row of each class counts, as rare=5,common=1 (others 1); balanced: as if there were as many of each"},
    {"optimizer", "NAME", .commands = TRAIN, .kind = OPTION_CHOICE, .choices = BP_OPTIMIZER_LIST(CHOICE_OF), .preset = "adamw", .at = IN(optimizer),
     .help = "how a gradient becomes a step; lbfgs takes its steps over all rows, in parts of --batch"},
    {"lr", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e6, .lo_out = true, .preset = "auto", .at = IN(lr),
     .help = "learning rate; auto: 0.003 for adamw, 0.1 for sgd, 0.01 for adagrad, 0.0001 for lion, 1 for lbfgs, 0.001 for adam and rmsprop"},
    {"find-lr", "FILE.svg", .alone = FIND_LR_TOLD, .aside = true, .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(find_lr),
     .help = "do not train: take steps with learning rates that grow, and say at which the loss falls fastest; with a file, also as a curve (svg or png)"},
    {"rate", "LAYER=X,...", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(rates),
     .help = "factors on the learning rate of single layers, as layer1=0.1; 0: they stay as they are"},
    {"schedule", "NAME", .commands = TRAIN, .kind = OPTION_TEXT, .preset = "constant", .at = IN(schedule),
     .help = "of the learning rate: constant; cosine, to 0 over all epochs; step(30,0.1), times 0.1 after every 30 epochs; plateau(5,0.1), times "
             "0.1 after 5 epochs without a better validation loss; onecycle, up in the first 0.3 of the steps and down in the rest"},
    {"warmup", "STEPS", .commands = TRAIN, .kind = OPTION_COUNT, .lo = 0, .hi = 1e12, .preset = "0", .at = IN(warmup),
     .help = "steps in which the learning rate grows to that of the schedule"},
    {"momentum", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1, .hi_out = true, .preset = "0", .at = IN(momentum),
     .help = "of sgd"},
    {"nesterov", NULL, .commands = TRAIN, .kind = OPTION_FLAG, .at = IN(nesterov),
     .help = "Nesterov's momentum"},
    {"weight-decay", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e6, .automatic = -1, .preset = "auto", .at = IN(weight_decay),
     .help = "pull of the weights (not the biases) towards 0; auto: for adamw 200 / training rows, at most 2, for the others 0"},
    {"l1", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e6, .preset = "0", .at = IN(l1),
     .help = "price of the weights' absolute values (not the biases'), which makes many of them nearly 0"},
    {"max-norm", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e30, .preset = "0", .at = IN(max_norm),
     .help = "largest norm of the weights into a unit; 0: any"},
    {"clip-norm", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e30, .preset = "0", .at = IN(clip_norm),
     .help = "largest norm of the whole gradient; 0: any"},
    {"label-smoothing", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1, .hi_out = true, .automatic = -1, .preset = "auto", .at = IN(label_smoothing),
     .help = "share of each label spread over all classes; auto: 200 / training rows, at most 0.05"},
    {"clip-value", "X", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1e30, .preset = "0", .at = IN(clip_value),
     .help = "largest element of the gradient, either way; 0: any"},
    {"averaging", "ETA", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1000, .automatic = -1, .preset = "auto", .at = IN(averaging),
     .help = "judge and keep a running mean of the weights, in which step t counts like t^ETA; 0: the weights as the last step left them; auto: 3 "
             "with a constant rate, else 0"},
    {"mixup", "ALPHA", .commands = TRAIN, .kind = OPTION_REAL, .hi = 1000, .preset = "0", .at = IN(mixup),
     .help = "mix each row and its target with another row, in shares drawn from Beta(ALPHA, ALPHA); 0.2 is usual for images"},
    {"augment", "WHAT", .commands = TRAIN, .kind = OPTION_TEXT, .at = IN(augment),
     .help = "images that differ each time they are seen: shift=2, by up to 2 pixels each way; flip, left to right; shift=2,flip"},
    {"wrt", "NAMES", .commands = GRAD | CHECK | BENCH | MATRICES, .kind = OPTION_TEXT, .at = IN(wrt),
     .help = "differentiate by these, as x,y: inputs, or any value that the program gives a name; else by every real input"},
    {"sweeps", "WHICH", .commands = JACOBIAN, .kind = OPTION_CHOICE, .choices = "auto|forward|reverse|both", .preset = "auto",
     .at = IN(sweeps), .help = "which passes may make the Jacobian: forward for columns, reverse for rows; auto: whichever needs fewest"},
    {"steps", NULL, .commands = GRAD, .kind = OPTION_FLAG, .at = IN(steps),
     .help = "tell the forward and the backward pass node by node: value, upstream gradient, local gradient, their product, and the sums "
             "where wires fork"},
    {"unbundle", NULL, .commands = GRAD | GRAPH, .kind = OPTION_FLAG, .at = IN(unbundle),
     .help = "show calls of functions, and operations that are made of others (sigmoid, softmax), by their parts; of grad, in what --steps tells"},
    {"upstream", "EXPR", .commands = GRAD, .kind = OPTION_TEXT, .at = IN(upstream),
     .help = "how much each element of the output counts, where it has several: an expression that broadcasts to its shape"},

    {"step", "H", .commands = CHECK, .kind = OPTION_REAL, .hi = 1e6, .lo_out = true, .preset = "auto", .at = IN(step),
     .help = "how far each entry x is moved either way for its difference; auto: 6e-6, times |x| where that is over 1"},
    {"entries", "N", .commands = CHECK, .kind = OPTION_COUNT, .lo = 1, .hi = 1e15, .preset = "1000", .at = IN(entries),
     .help = "of each input, compared one by one; of a larger one so many are drawn, and random directions cover the rest"},

    {"seed", "N", .commands = TRAIN | EXPRESSIONS | PLOT, .kind = OPTION_COUNT, .lo = 1, .hi = 9007199254740992.0, .preset = "1", .at = IN(seed),
     .help = "of all that is drawn: the split, the first weights and the order of the examples; randn and its like in a program. The same "
             "seed gives the same bytes"},

    {"header", "yes|no", .commands = DATA_COMMANDS | EXPRESSIONS | PLOT | REGIONS, .kind = OPTION_CHOICE, .choices = "auto|yes|no", .preset = "auto", .at = IN(header),
     .help = "whether the first line of a CSV file holds names"},
    {"delimiter", "CHAR", .commands = DATA_COMMANDS | EXPRESSIONS | PLOT | REGIONS, .kind = OPTION_DELIMITER, .preset = ",", .at = IN(delimiter),
     .help = "what separates the fields of a CSV file: , ; | or tab"},
    {"memory", "SIZE", .aside = true, .commands = TRAIN | EVAL | REPORT, .kind = OPTION_SIZE, .lo = 1048576, .hi = 1e18, .preset = "auto", .at = IN(memory),
     .help = "what the data of a table may take, as 512M or 2G. Larger ones go to a file in $TMPDIR, which is gone at the end, and are trained on "
             "block by block. auto: half of what the machine allows, at most 384M"},
    {"threads", "THREADS", .aside = true, .commands = DATA_COMMANDS | EXPRESSIONS, .kind = OPTION_COUNT, .letter = 'j', .lo = 1, .hi = 256, .preset = "auto", .at = IN(threads),
     .help = "threads to compute with; any number gives the same result. auto: one for each processor"},

    {"profile", "FILE.json", .alone = PROFILE_TABLE, .aside = true, .commands = DATA_COMMANDS | (EXPRESSIONS & ~GRAPH), .kind = OPTION_TEXT, .at = IN(profile),
     .help = "tell on standard error what each instruction took, one by one and not compiled (--jit): time, GFLOP/s, GB/s and the share of "
             "what this machine can do; with a file also as a trace for chrome://tracing or Perfetto, a row for each thread"},

    {"jit", "WHEN", .aside = true, .commands = DATA_COMMANDS | EXPRESSIONS, .kind = OPTION_CHOICE, .choices = "auto|off|wait", .preset = "auto", .at = IN(jit),
     .help = "whether what runs long is compiled by the system's compiler, where there is one: beside the runs (auto), or before them (wait). "
             "Results have the same bits. Code is kept in ~/.cache/bprop"},

    {"from", "X", .commands = PLOT, .kind = OPTION_REAL, .lo = -1e300, .hi = 1e300, .preset = "-5", .at = IN(from),
     .help = "where x begins"},
    {"to", "X", .commands = PLOT, .kind = OPTION_REAL, .lo = -1e300, .hi = 1e300, .preset = "5", .at = IN(to),
     .help = "where x ends"},
    {"top", "N", .commands = TEMPLATES, .kind = OPTION_COUNT, .lo = 1, .hi = 10000, .preset = "40", .at = IN(top),
     .help = "units shown, the strongest"},
    {"shape", "HEIGHTxWIDTH", .commands = TRAIN | TEMPLATES, .kind = OPTION_TEXT, .at = IN(shape),
     .help = "of the images that rows are, as 28x28, or 32x32x3 with channels. To train: else what the data say. To draw: else a "
             "square, where the data were images or their columns have numbers for names"},
    {"grey", NULL, .commands = TEMPLATES, .kind = OPTION_FLAG, .at = IN(grey),
     .help = "images in grey, dark to light, instead of blue to red"},
    {"bundle", NULL, .commands = GRAPH, .kind = OPTION_FLAG, .at = IN(bundle),
     .help = "draw what amounts to an operation of the table as one: 1/(1+exp(-z)) as sigmoid"},
    {"all", NULL, .commands = GRAPH, .kind = OPTION_FLAG, .at = IN(all),
     .help = "draw every node, however many"},
    {"most", "N", .commands = GRAPH, .kind = OPTION_COUNT, .lo = 3, .hi = 1e6, .preset = "120", .at = IN(most),
     .help = "nodes over which blocks that repeat are drawn as one box, and over twice of which the middle is left out"},
    {"dot", NULL, .commands = GRAPH, .kind = OPTION_FLAG, .at = IN(dot),
     .help = "text for Graphviz instead of a picture"},
    {"dark", NULL, .commands = PICTURES, .kind = OPTION_FLAG, .at = IN(dark),
     .help = "light on a dark ground"},
    {"scale", "X", .commands = PICTURES, .kind = OPTION_REAL, .hi = 64, .lo_out = true, .preset = "2", .at = IN(scale),
     .help = "of a PNG: pixels for each unit of the picture"},

    {"runs", "FILE|off", .aside = true, .commands = TRAIN | RUNS, .kind = OPTION_TEXT, .at = IN(runs),
     .help = "where the history of runs is kept: else ~/.local/share/bprop/runs.db; off: nothing is kept"},
    {"lines", "N", .commands = RUNS, .kind = OPTION_COUNT, .letter = 'n', .lo = 1, .hi = 1e9, .preset = "20", .at = IN(lines),
     .help = "most runs in the list"},

    {"trials", "N", .commands = TUNE, .kind = OPTION_COUNT, .lo = 1, .hi = 1e6, .preset = "auto", .at = IN(trials),
     .help = "settings to try; auto: 27, or as many as the --budget allows"},
    {"budget", "TIME", .commands = TUNE, .kind = OPTION_TIME, .hi = 1e9, .preset = "0", .at = IN(budget),
     .help = "time after which the best so far is taken, as 90s, 10m or 2h; 0: none"},
    {"parallel", "N", .commands = TUNE, .kind = OPTION_COUNT, .lo = 1, .hi = 256, .preset = "auto", .at = IN(parallel),
     .help = "trials at once, each with one thread unless --threads says more; auto: one for each processor"},
    {"search", "HOW", .commands = TUNE, .kind = OPTION_CHOICE, .choices = "auto|halving|random", .preset = "auto", .at = IN(search),
     .help = "halving: in brackets of 27, of which a third is trained on, three times; random: each trial is trained to its end; auto: random with "
             "--folds, else halving"},
    {"search-width", "LOW..HIGH", .commands = TUNE, .kind = OPTION_RANGE, .lo = 1, .hi = 1e6, .preset = "16..512", .at = IN(search_width),
     .help = "widths of the hidden layers, each factor as likely as another"},
    {"search-depth", "LOW..HIGH", .commands = TUNE, .kind = OPTION_RANGE, .hi = 15, .preset = "1..3", .at = IN(search_depth),
     .help = "how many hidden layers"},
    {"search-lr", "LOW..HIGH", .commands = TUNE, .kind = OPTION_RANGE, .hi = 1e6, .lo_out = true, .preset = "auto", .at = IN(search_lr),
     .help = "learning rates, each factor as likely as another; auto: a tenth to ten times the optimizer's own"},
    {"search-decay", "LOW..HIGH", .commands = TUNE, .kind = OPTION_RANGE, .hi = 1e6, .preset = "auto", .at = IN(search_decay),
     .help = "weight decays, each factor as likely as another; auto: 1e-3..2 for adamw and lion, whose decay is apart from the gradient, else "
             "1e-6..1e-2"},
    {"search-dropout", "LOW..HIGH", .commands = TUNE, .kind = OPTION_RANGE, .hi = 1, .hi_out = true, .preset = "0..0.5", .at = IN(search_dropout),
     .help = "shares of dropout"},

    {"man", NULL, .commands = HELP, .kind = OPTION_FLAG, .at = IN(man)},
    {"completion", "SHELL", .commands = HELP, .kind = OPTION_CHOICE, .choices = "none|bash", .preset = "none", .at = IN(completion),
     .help = "print the completion of commands and options for a shell: bash"},

    {"config", "FILE", .aside = true, .commands = DATA_COMMANDS, .kind = OPTION_TEXT, .at = IN(config),
     .help = "read options from a file, one `name = value` a line; the command line beats it"},
    {"print-config", NULL, .aside = true, .commands = DATA_COMMANDS, .kind = OPTION_FLAG, .at = IN(print_config),
     .help = "print what is in force, as such a file, and end"},
    {"print", NULL, .commands = RUN, .kind = OPTION_FLAG, .at = IN(print_program),
     .help = "print the program as it was understood, instead of its results: with values, draws and constants written out"},
    {"json", NULL, .aside = true, .commands = TRAIN | EVAL | PREDICT | INFO | OPS | LAYERS | VERSION | RUNS | EXPRESSIONS, .kind = OPTION_FLAG, .at = IN(json),
     .help = "the answer as JSON, one object a line"},
    {"quiet", NULL, .aside = true, .commands = EVERY, .kind = OPTION_FLAG, .letter = 'q', .at = IN(quiet),
     .help = "no talk: only the answer, and errors"},
    {"verbose", NULL, .aside = true, .commands = EVERY, .kind = OPTION_FLAG, .letter = 'v', .at = IN(verbose),
     .help = "more talk"},
    {"help", NULL, .aside = true, .commands = EVERY, .kind = OPTION_FLAG, .letter = 'h', .at = IN(help),
     .help = "this help"},
};
/* clang-format on */
const size_t option_count = sizeof options / sizeof *options;

const command commands[] = {
    {"train", TRAIN, "FILE.csv --target COLUMN | IMAGES LABELS | X.npy Y.npy | X.npz | FOLDER", 1, 2,
     "train a network and save it",
     "The data are a CSV file with a column to learn, of numbers and text, with missing values or without; "
     "an "
     "IDX file of images and one of labels (the files of MNIST); two .npy arrays, examples and their labels "
     "or "
     "values, or both in one .npz; or a folder of PNG pictures with a folder for each class. All may be "
     "compressed by gzip; a table may be larger than memory (--memory), or come from standard input (-).\n\n"
     "Inputs are standardised by the training rows. Part of the data is held out (a tenth, in proportion to "
     "the classes) and decides when "
     "to stop; the weights that did best there are the ones that are saved. Where there are under 10,000 "
     "rows, each counts: once the best "
     "epoch is known, training begins again and runs for about so many epochs over the rows held out too "
     "(--refit). Ctrl-C stops and saves.\n\n"
     "The defaults are the same for all data: one hidden layer of 256 units; AdamW at a constant rate, with "
     "a weight decay of 200 / rows; "
     "what is judged and kept is a running mean of the weights.\n\n"
     "The answer, on standard output, is the accuracy (classes) or root mean square error (numbers) on the "
     "test set, or, without one, on "
     "the rows held out; talk and progress go to standard error.",
     "bprop train wine.csv --target cultivar --test 25%\n"
     "bprop train train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz --epochs 30 \\\n"
     "    --hidden 512,256 --dropout 0.2 --lr 0.001 \\\n"
     "    --test t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz -o fashion.safetensors\n"
     "M='conv 32 3 same relu, maxpool, conv 64 3 same relu, maxpool'; \\\n"
     "bprop train train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz --epochs 8 \\\n"
     "    --model \"$M, dropout 0.25, dense 128 relu, dropout 0.25\" \\\n"
     "    --test t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz -o convnet.safetensors",
     cmd_train},
    {"eval", EVAL, "MODEL FILE.csv | MODEL IMAGES LABELS", 2, 3,
     "measure a network on data with known answers",
     "Columns of a CSV file are found by their names, so their order does not matter. The target is the "
     "column that the network was "
     "trained to predict, unless --target names another. Prints all metrics; for classes also those of each, "
     "and which are taken for "
     "which. --by measures groups of rows apart, and takes 20 bytes for each row.\n\n"
     "The rows may be any number: data that do not fit --memory go through a temporary file, and most "
     "metrics are "
     "sums over rows that are seen once. ROC AUC, average precision and the median need the predictions of "
     "all rows, 4 bytes for "
     "each and about 12 a row; they are left out where that is more than --memory.",
     "bprop eval wine.safetensors more-wine.csv\nbprop eval wine.safetensors more-wine.csv --by cultivar",
     cmd_eval},
    {"predict", PREDICT, "MODEL FILE | MODEL -", 2, 2, "apply a network to new data",
     "The data are CSV, an IDX file or an .npy array; - is CSV from standard input. Columns of a CSV file "
     "are found by their names; others, "
     "such as the target, are left out. A file without a header must have the columns of the training data, "
     "in their order. Prints one "
     "line for each row: the class and the probability of every class, or the value. The file is read whole.",
     "bprop predict wine.safetensors new.csv --json | head -1", cmd_predict},
    {"run", RUN, "EXPR|FILE [NAME=VALUE...]", 1, -1, "run a formula or a program and print what it computes",
     "The program is a text in the manner of NumPy, or a file that holds one (- is standard input): "
     "docs/language.md explains it. A name "
     "that is assigned a value is an input; bare expressions are what is printed, or else the last "
     "assignment. "
     "A value on the command line is an expression too, or @FILE: an .npy array, an IDX file, or CSV of "
     "numbers; it wins over the value that the program gives to the name.",
     "bprop run '1/(1+exp(-(w0*x0+w1*x1+w2)))' w0=2 x0=-1 w1=-3 x1=-2 w2=-3\n"
     "bprop run 'sum(x*x, axis=0)' 'x=randn(3,4)' --seed 7\nbprop run network.bp x=@digits.npy --json",
     cmd_run},
    {"graph", GRAPH, "EXPR|FILE [NAME=VALUE...]", 1, -1, "draw a formula or a program as a circuit",
     "From left to right: inputs as names, operations in circles, constants in their gates. Above each wire "
     "its value; below it, in "
     "italics, the gradient of the outputs by it. Where a wire forks, each branch shows what comes back "
     "along it, and the stem the sum. The "
     "operand that a max takes has a thick wire. Functions of the program are rounded boxes; --unbundle "
     "opens them. Inputs without a "
     "value are drawn without.\n\nLong circuits are broken into rows; wires that would reach far are cut, "
     "and go on under their name or "
     "number.",
     "bprop graph '1/(1+exp(-(w0*x0+w1*x1+w2)))' w0=2 x0=-1 w1=-3 x1=-2 w2=-3 -o neuron.svg\n"
     "bprop graph network.bp --unbundle -o network.png --dark\nbprop graph '(x+y)*z' x=-2 y=5 z=-4 --dot",
     cmd_graph},
    {"plot", PLOT, "FUNCTION... [NAME=VALUE...]", 1, -1, "draw functions and their derivatives",
     "A function is the name of an operation of one input (`bprop ops`), or an expression in x. Its "
     "derivative, found by "
     "differentiating and not by differences, is drawn dashed. A jump is a gap, not a steep line; where a "
     "function or its derivative "
     "goes to infinity, the axis shows the rest. NAME=VALUE gives values to other names of the expressions.",
     "bprop plot relu elu -o activations.svg\nbprop plot 'exp(-a*x**2)*cos(5*x)' a=0.3 --from -4 --to 4 -o "
     "wave.png --dark",
     cmd_plot},
    {"jacobian", JACOBIAN, "EXPR|FILE [NAME=VALUE...]", 1, -1, "the Jacobian of a formula or program, sparse",
     "Every derivative of every element of the outputs by every element of the inputs. Where entries may be "
     "is found from the program alone, and only they are stored; columns or rows that do not meet are made "
     "by one pass together. Prints the size, the structure, how many entries are stored and how many passes "
     "made them; of a small one also the matrix, with dots for entries that are 0 for every input. --json "
     "prints the "
     "entries too, unless they go to a file. The program and values are as in bprop run.",
     "bprop jacobian 'relu(x)' 'x=randn(4096)'\n"
     "bprop jacobian 'x[1:]-x[:-1]' 'x=[1,4,9,16]'\n"
     "bprop jacobian network.bp --wrt W1,b1 -o J.npz",
     cmd_jacobian},
    {"hessian", HESSIAN, "EXPR|FILE [NAME=VALUE...]", 1, -1, "the second derivatives of a number, sparse",
     "The output must be one number. The Hessian is made by Hessian-vector products, several columns by "
     "each where they do not meet. Prints and saves as bprop jacobian does.",
     "bprop hessian 'sum(exp(x[0]*x[1:]))' 'x=randn(1000)'\n"
     "bprop hessian 'sum(100*(x[1:]-x[:-1]**2)**2+(1-x[:-1])**2)' 'x=[-1.2,1,1]' -o H.mtx",
     cmd_hessian},
    {"templates", TEMPLATES, "MODEL", 1, 1, "draw what a network's first layer looks for",
     "The rows of the first matrix of weights, one for each unit: as images, on one scale with 0 in the "
     "middle, or as bars with the "
     "names of the columns. Below each, bars: the weight that the next layer gives it for each class. Of a "
     "model without hidden layers, "
     "the template of each class. Weights are those of standardised inputs.",
     "bprop templates digits.safetensors -o templates.svg\nbprop templates fashion.safetensors --top 24 "
     "--grey -o templates.png",
     cmd_templates},
    {"regions", REGIONS, "MODEL [FILE.csv]", 1, 2, "draw what a network of two inputs answers",
     "All over the plane of its two inputs: classes as grounds, stronger where the network is surer, with a "
     "line where the answer "
     "changes; numbers as a ground with lines of equal value. Examples from a file are drawn as marks, a "
     "shape for each class, with a "
     "dark edge where the network is wrong.",
     "bprop regions petals.safetensors iris.csv -o petals.svg", cmd_regions},
    {"report", REPORT, "MODEL [FILE.csv | IMAGES LABELS]", 1, 3, "write one page about a network",
     "One HTML file that needs no other, no script and no network. Of the model alone: how the training "
     "went, what it was measured to be "
     "after it, what its first layer looks for, and the model card (data and their hash, options, seed, "
     "versions). With data that have known "
     "answers also: all metrics, each class, which are taken for which, how far probabilities can be "
     "believed, the worst mistakes, the "
     "importance of columns, decision regions where there are two inputs, and for images what in them speaks "
     "for a class. The data should "
     "be such as it was not trained on. They may be larger than --memory, as for bprop eval: "
     "importance and the points of pictures are then those of a sample.",
     "bprop report wine.safetensors -o wine.html\n"
     "bprop report fashion.safetensors t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz \\\n"
     "    -o fashion.html",
     cmd_report},
    {"tune", TUNE, "FILE.csv --target COLUMN | IMAGES LABELS | X.npy Y.npy", 0, 2,
     "search for settings that train well",
     "Tries widths, depths, learning rates, weight decays and dropouts, drawn at random; trains them on one "
     "split of the data (a fifth is held out), and saves "
     "the network with the lowest validation loss. The first trial is what bprop train does by itself. What "
     "is given as for bprop train "
     "(--lr 0.01) is not searched. With --folds each trial is judged by cross-validation, which small tables "
     "need.\n\n"
     "With --search halving (Jamieson & Talwalkar 2016) most trials are given up early: 27 are trained for "
     "1/27 of the --epochs, the best "
     "9 of them go on to 1/9, the best 3 to 1/3, and one to the end; then come the next 27. The same options "
     "and seed give the same "
     "trials, however many run at once.\n\n"
     "The answer is what the best network reaches, and the command that trains it by itself. Every trial is "
     "in the history (bprop runs). "
     "Ctrl-C saves the best so far; --resume goes on.",
     "bprop tune wine.csv --target cultivar --trials 9 --epochs 60\n"
     "bprop tune wine.csv --target cultivar --search random --trials 4 --lr 0.003 \\\n"
     "    --search-width 32..128 -o tuned.safetensors",
     cmd_tune},
    {"runs", RUNS, "[list] [WORD...] | show RUN | compare RUN RUN... | delete RUN...", 0, -1,
     "the history of what was trained",
     "Every training is a row of a database: when, its command line and all options in force, the data and "
     "their hash, the network, the loss after each epoch, what it reached, and how it ended. Without a "
     "subject the latest are listed, the newest first; with words, those whose command, data, model file, "
     "network or status hold each of them (study=3: the trials of a search). A run is called by its "
     "number.\n\n"
     "show tells all about one. compare tells the options and facts in which runs differ, and what they "
     "reached side by side; both draw the losses with -o. delete forgets runs; model files stay.\n\n"
     "A run is lost if it ended without a word: its process is gone (or the machine was started anew since), "
     "and it never told how it ended. One on another machine counts as running for a day after its last "
     "epoch.",
     "bprop runs\nbprop runs wine done -n 5\nbprop runs show 1\nbprop runs compare 1 2 -o curves.svg",
     cmd_runs},
    {"info", INFO, "MODEL", 1, 1, "show what a model file holds",
     "Shows the network, its classes, its parameters by name and shape, and the metadata; of each layer, "
     "what it gives for one example, its "
     "parameters, the floating-point operations of one prediction (a multiply-add is two), and the memory of "
     "what it gives. Of a safetensors "
     "file from elsewhere it shows the "
     "tensors and the metadata.",
     "bprop info wine.safetensors", cmd_info},
    {"check", CHECK, "EXPR|FILE [NAME=VALUE...]", 1, -1, "compare gradients with differences",
     "Compares every gradient of a formula or program with central differences, in float64; then, along a "
     "random direction v, "
     "Taylor's remainder |f(x+hv) - f(x) - h g.v|, which must fall like h to the power 2 if g is the "
     "gradient (and like h if it is not), "
     "and forward mode with reverse mode. Programs and values are written as for bprop run.\n\n"
     "Where the function has a kink (as relu at 0) it has no derivative, and differences give something "
     "between the slopes of both sides: "
     "that is told as a kink, and is no failure. A wrong gradient ends with status 1. The operations of "
     "bprop have right gradients; what a "
     "program can do is to stop one, as in x*stop_gradient(x).\n\n"
     "With -v also a line for each input, and the remainders.",
     "bprop check '1/(1+exp(-(w0*x0+w1*x1+w2)))' w0=2 x0=-1 w1=-3 x1=-2 w2=-3\n"
     "bprop check 'sum(relu(W @ x))' 'W=randn(3,4)' 'x=randn(4)' --wrt W -v\n"
     "bprop check network.bp --step 1e-4 --json",
     cmd_check},
    {"bench", BENCH, "[machine|training|gradient [EXPR|FILE [NAME=VALUE...]]]", 0, -1,
     "measure this machine, training on it, and why backpropagation pays",
     "bench machine measures what the processor and its memory can do at most, with one thread and with all. "
     "bench training measures the step of two networks, and the share of that limit that it reaches. Without "
     "a subject all three are measured, in a few seconds.\n\n"
     "bench gradient measures what all derivatives of a number cost: by one backward pass (with its forward "
     "pass), and by differentiating "
     "by each parameter apart, with forward differences (a run more for each) or forward mode (a jvp for "
     "each). Without a program, of "
     "a network 16-h-h-1 that grows from 20 to a million parameters; with one, of its first real output by "
     "all its inputs, or by --wrt. "
     "The ways take turns, seven times; medians are told. Where running every parameter would take long, a "
     "sample is timed, and the "
     "figure marked with ~ is extrapolated.",
     "bprop bench\nbprop bench training --threads 1 --profile\nbprop bench gradient\n"
     "bprop bench gradient 'sum(tanh(W @ x))' 'W=randn(40,100)' 'x=randn(100)' --wrt W",
     cmd_bench},
    {"layers", LAYERS, "[KIND...]", 0, -1, "show the kinds of layers that a network's text may have",
     "The text of a network (bprop train --model) is its layers, separated by commas. A layer is the name of "
     "its kind, its arguments, and "
     "an activation, if it has one; an activation alone is a layer too. Arguments are numbers in the order "
     "that is shown, or name=number; "
     "sizes of images may be one number or height and width, as 3x5. What stands here in brackets may be "
     "left out.\n\n"
     "Layers may stand in layers: residual(conv 32 3 same, batchnorm, relu, conv 32 3 same) relu.\n\n"
     "Parameters are named by their place: layer1.W and layer1.b of the first dense or conv, then layer2; "
     "norm1.gain, norm1.bias and the "
     "running norm1.mean and norm1.var of norms; residual1.W of a projection; embed1.E of a column's "
     "vectors.",
     "bprop layers\nbprop layers conv batchnorm", cmd_layers},
    {"ops", OPS, "[OPERATION...]", 0, -1, "show the table of operations",
     "Without a name, one line for each operation (with -v, internal ones too). With names, each row in "
     "full: formula, source, behaviour at "
     "kinks, arguments, the class of its Jacobian, and how it is differentiated.",
     "bprop ops\nbprop ops relu softmax", cmd_ops},
    {"grad", GRAD, "EXPR|FILE [NAME=VALUE...]", 1, -1, "differentiate a formula or a program",
     "Prints what the program computes and, for every input, its value and the gradient: how much the output "
     "changes when the input "
     "changes a little. Programs and values are written as for bprop run.\n\n"
     "With --steps the passes are told node by node. Forward, each node has a value. Backward, each node has "
     "the gradient that arrives at "
     "it from the output (upstream), and passes on to each of its inputs the product of that with its own "
     "local gradient. Where a value is "
     "used several times, what comes back is added. Of a max, one input wins and gets the whole gradient.",
     "bprop grad '(x+y)*z' x=-2 y=5 z=-4 --steps\n"
     "bprop grad 'q = x + y; q * z' x=-2 y=5 z=-4 --wrt q,z\n"
     "bprop grad 'W @ x' 'W=randn(3,4)' 'x=randn(4)' --upstream '[1,0,0]'",
     cmd_grad},
    {"help", HELP, "[COMMAND]", 0, 1, "explain the program or a command", "The same as bprop COMMAND --help.",
     "bprop help train\nbprop help --completion bash >~/.local/share/bash-completion/completions/bprop",
     cmd_help},
    {"version", VERSION, "", 0, 0, "print the version",
     "With -v also what it was built with and finds on this machine.", "bprop version -v", cmd_version},
};
const size_t command_count = sizeof commands / sizeof *commands;
