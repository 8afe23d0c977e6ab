"""What other libraries call the entries of a config and the classes that it may name.

A name counts in any spelling: `Learning_Rate` is `learningrate` here. Keras, PyTorch, scikit-learn and Nielsen's book
are meant, and what people say.
"""

from __future__ import annotations

# The key of ours that another key stands for
KEYS = {
    **dict.fromkeys(("lr", "learningrate", "learningrateinit", "rate", "stepsize", "eta0"), "eta"),
    **dict.fromkeys(("momentum", "beta", "beta1", "rho"), "mu"),
    **dict.fromkeys(("weightdecay", "decay", "lambda", "lambd", "l2", "l2reg", "reg", "regularization"), "lmbda"),
    **dict.fromkeys(("regularisation", "regularizer", "kernelregularizer", "penalty"), "lmbda"),
    **dict.fromkeys(("nepochs", "numepochs", "nbepoch", "maxepochs", "maxiter", "iterations", "steps"), "epochs"),
    **dict.fromkeys(("batch", "minibatch", "minibatchsize", "bs"), "batch_size"),
    **dict.fromkeys(("optim", "solver", "algorithm"), "optimizer"),
    **dict.fromkeys(("lossfn", "loss", "lossfunction", "costfunction", "criterion", "objective"), "cost"),
    **dict.fromkeys(("lrscheduler", "scheduler", "learningrateschedule", "callbacks"), "schedule"),
    **dict.fromkeys(("goal", "targetloss"), "target_cost"),
    **dict.fromkeys(("augment", "augmentation", "dataaugmentation"), "shifts"),
    **dict.fromkeys(("savebest", "savebestonly", "restorebestweights", "checkpoint"), "keep"),
    **dict.fromkeys(("hiddenlayersizes", "hidden", "hiddenlayers", "sizes", "architecture"), "layers"),
    **dict.fromkeys(("neurons", "nodes", "width", "outfeatures", "nunits", "numunits", "outputdim"), "units"),
    **dict.fromkeys(("outchannels", "channels", "nfilters"), "filters"),
    **dict.fromkeys(("kernelsize", "kernel", "filtersize"), "size"),
    **dict.fromkeys(("poolsize",), "pool"),
    **dict.fromkeys(("kernelinitializer", "init", "weightinit", "initialiser"), "initializer"),
    **dict.fromkeys(("negativeslope", "alpha"), "slope"),
    **dict.fromkeys(("dataset", "path", "file", "filename", "data", "datapath", "csv"), "source"),
    **dict.fromkeys(("target", "targetcolumn", "labelcolumn", "labels", "ycolumn", "output"), "label"),
    **dict.fromkeys(("val", "nval", "dev"), "validation"),
    **dict.fromkeys(("trainsize", "ntrain"), "train"),
    **dict.fromkeys(("normalize", "normalise", "standardize", "standardscaler", "scaler"), "standardise"),
    **dict.fromkeys(("normalization", "standardization", "zscore"), "standardise"),
    **dict.fromkeys(("rescale", "scaling"), "scale"),
    **dict.fromkeys(("categorical", "categories", "dummies", "getdummies"), "onehot"),
    **dict.fromkeys(("dropcolumns", "ignore", "exclude"), "drop"),
    **dict.fromkeys(("nan", "na", "impute", "fillna", "missingvalues"), "missing"),
    **dict.fromkeys(("randomstate", "randomseed", "manualseed", "rng"), "seed"),
    **dict.fromkeys(("grid", "paramgrid"), "sweep"),
    **dict.fromkeys(("model", "net", "nn"), "network"),
    **dict.fromkeys(("trainer", "fit"), "training"),
}

# What to do instead of a key that has no counterpart here, or several
ADVICE = {
    "alpha": "for the L2 strength say training.optimizer.lmbda (scikit-learn's alpha / batch_size), for the learning "
    "rate training.optimizer.eta",
    "l1": "there is no L1 penalty here; the L2 strength is training.optimizer.lmbda",
    "dropout": "there is no dropout here; training.optimizer.lmbda (L2) and training.schedule = "
    "{ type = 'EarlyStopping' } are against overfitting",
    "activation": "an activation is a layer of its own, such as { type = 'ReLU' } behind a Dense; that of the outputs "
    "belongs to the cost: network.cost.activation of Quadratic",
    "nesterov": "there is no Nesterov momentum here; mu of training.optimizer is the momentum of the heavy ball",
    "batchnorm": "there is no batch normalisation here; data.standardise = true standardises the inputs",
    "shuffle": "each epoch has its own random order, decided by seed; nothing is to be set",
    "earlystopping": "say training.schedule = { type = 'EarlyStopping', patience = 10 }",
    "validationsplit": "say data.validation = 200, the number of examples; it is no share",
    "testsplit": "say data.test = 200, the number of examples; it is no share",
    "verbose": "nothing is to be set; fnn prints thirty lines into a pipe, and one row on a terminal",
    "metrics": "the cost and the accuracy of all parts are always measured; nothing is to be set",
    "inputshape": "the shape of the inputs is that of the data, or data.shape; layers find theirs by themselves",
    "numclasses": "the classes are those of the data; data.classes keeps only some of them",
    "bias": "every Dense and Conv has biases; nothing is to be set",
    "padding": "a Conv has no padding and a stride of 1; nothing is to be set",
    "device": "JAX chooses the device; to change that set JAX_PLATFORMS=cpu in the environment",
    "tol": "there is no smallest improvement here; training.target_cost ends the training at a training cost, "
    "training.schedule = { type = 'EarlyStopping', patience = 10 } when nothing gets better",
    "clipnorm": "there is no clipping of gradients here; use a smaller training.optimizer.eta",
    "outputdir": "the folder of a run is given on the command line, by --out",
}
ADVICE |= {
    **dict.fromkeys(("dropoutrate", "keepprob", "pdropout"), ADVICE["dropout"]),
    **dict.fromkeys(("activations", "nonlinearity", "activationfunction", "transfer"), ADVICE["activation"]),
    **dict.fromkeys(("tolerance", "mindelta", "threshold"), ADVICE["tol"]),
    **dict.fromkeys(("niternochange", "noimprovementinn"), ADVICE["earlystopping"]),
    **dict.fromkeys(("validationfraction", "validationsize", "valsize", "valsplit"), ADVICE["validationsplit"]),
    **dict.fromkeys(("testsize", "testfraction"), ADVICE["testsplit"]),
    **dict.fromkeys(("nesterovs", "nesterovsmomentum"), ADVICE["nesterov"]),
    **dict.fromkeys(("batchnormalization",), ADVICE["batchnorm"]),
    **dict.fromkeys(("inputdim", "infeatures", "inchannels", "inputs", "inputsize", "nfeatures"), ADVICE["inputshape"]),
    **dict.fromkeys(("nclasses", "outputs"), ADVICE["numclasses"]),
    **dict.fromkeys(("usebias",), ADVICE["bias"]),
    **dict.fromkeys(("stride", "strides", "dilation"), ADVICE["padding"]),
    **dict.fromkeys(("cuda", "gpu", "dtype", "precision"), ADVICE["device"]),
    **dict.fromkeys(("clipvalue", "gradclip", "maxnorm"), ADVICE["clipnorm"]),
    **dict.fromkeys(("logdir", "savedir", "savepath", "outdir", "out"), ADVICE["outputdir"]),
}

_ONE = "there is one optimiser here, { type = 'SGD', eta = 0.1, mu = 0.9, lmbda = 0.0 }"
_SQUARED = "say { type = 'Quadratic', activation = 'Identity' }: it is half the squared error, summed over the outputs"
_SOFTMAX = "say 'LogLikelihood', which has softmax outputs"
_SIGMOID = "say 'CrossEntropy', which has sigmoid outputs"
_NOT_HERE = "there is no such layer here"

# What to say instead of the name of a class
CLASSES = {
    **dict.fromkeys(("adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lbfgs", "lion"), _ONE),
    **dict.fromkeys(("momentum", "nesterov", "gradientdescent"), _ONE),
    **dict.fromkeys(("mse", "meansquarederror", "mseloss", "l2", "l2loss", "squarederror", "rmse"), _SQUARED),
    **dict.fromkeys(("mae", "l1loss", "l1", "meanabsoluteerror", "huber", "huberloss"), _SQUARED),
    **dict.fromkeys(("categoricalcrossentropy", "sparsecategoricalcrossentropy", "nll", "nllloss"), _SOFTMAX),
    **dict.fromkeys(("softmaxcrossentropy", "logloss", "multinomial", "negativeloglikelihood"), _SOFTMAX),
    **dict.fromkeys(("binarycrossentropy", "bce", "bceloss", "bcewithlogits", "bcewithlogitsloss"), _SIGMOID),
    "crossentropy": "say 'CrossEntropy' for sigmoid outputs, 'LogLikelihood' for softmax outputs",
    "softmax": _SOFTMAX,
    "crossentropyloss": f"for one class of several {_SOFTMAX}; for yes or no {_SIGMOID}",
    "linear": "a layer of weights is { type = 'Dense', units = 30 }, an activation that does nothing 'Identity'",
    "fullyconnected": "say { type = 'Dense', units = 30 }",
    **dict.fromkeys(("conv2d", "convolution2d", "convolution"), "say { type = 'Conv', filters = 20, size = 5 }"),
    **dict.fromkeys(("maxpool2d", "maxpooling2d", "maxpooling", "pooling"), "say { type = 'MaxPool', size = 2 }"),
    **dict.fromkeys(("logistic", "logit"), "say 'Sigmoid'"),
    "logsoftmax": "the cost 'LogLikelihood' has the softmax and its logarithm",
    "dropout": ADVICE["dropout"],
    **dict.fromkeys(("batchnorm", "batchnorm1d", "batchnorm2d", "batchnormalization"), ADVICE["batchnorm"]),
    **dict.fromkeys(("layernorm", "layernormalization", "embedding", "lstm", "gru", "rnn", "attention"), _NOT_HERE),
    **dict.fromkeys(("gelu", "elu", "selu", "swish", "silu", "softplus", "mish", "conv1d", "conv3d"), _NOT_HERE),
    **dict.fromkeys(("avgpool2d", "averagepooling2d", "globalaveragepooling2d"), _NOT_HERE),
    **dict.fromkeys(("henormal", "heuniform", "kaiming", "kaimingnormal", "kaiminguniform"), "say 'He'"),
    **dict.fromkeys(("xavier", "xaviernormal", "xavieruniform", "glorotuniform", "glorotnormal"), "say 'Glorot'"),
    **dict.fromkeys(("lecun", "lecunnormal", "lecununiform"), "say 'ScaledNormal'"),
    **dict.fromkeys(("randomnormal", "gaussian", "normaldistribution"), "say { type = 'Normal', std = 0.01 }"),
    "zero": "say 'Zeros'",
    "reducelronplateau": "say { type = 'HalveOnPlateau', patience = 10 }",
}


def plain(name: str) -> str:
    """A name without what only its spelling decides."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
