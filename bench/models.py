"""The models of melgrad in PyTorch: same names, shapes and initialisation, so state dictionaries fit both.

Input [N, 1, n_mels, frames], output logits [N, classes].
"""

from torch import nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut around them, named as torchvision names them."""

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            shortcut = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + shortcut)


class ResNet(nn.Module):
    """torchvision's ResNet of BasicBlocks with a 1-channel stem, any widths, and dropout before `fc`."""

    def __init__(self, widths, blocks, classes, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(1, widths[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        in_channels = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, blocks, strict=True), 1):
            stride = 1 if stage == 1 else 2
            later = [BasicBlock(width, width) for _ in range(depth - 1)]
            self.add_module(f"layer{stage}", nn.Sequential(BasicBlock(in_channels, width, stride), *later))
            in_channels = width
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


class Cnn(nn.Module):
    """Blocks of 3x3 convolution with bias, optional batch norm, ReLU and 2x2 max-pooling; a two-layer classifier."""

    def __init__(self, classes, dropout, batch_norm, channels=(16, 32, 64, 128)):
        super().__init__()
        layers = []
        for in_channels, out_channels in zip((1, *channels), channels):
            layers.append(nn.Conv2d(in_channels, out_channels, 3, padding=1))
            layers.extend([nn.BatchNorm2d(out_channels)] if batch_norm else [])
            layers.extend([nn.ReLU(inplace=True), nn.MaxPool2d(2)])
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(channels[-1], 128), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(128, classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


MODELS = {
    "cnn": lambda classes, dropout: Cnn(classes, dropout, batch_norm=False),
    "cnn_bn": lambda classes, dropout: Cnn(classes, dropout, batch_norm=True),
    "resnet_small": lambda classes, dropout: ResNet((16, 32, 64, 128), (2, 2, 2, 2), classes, dropout),
    "resnet18": lambda classes, dropout: ResNet((64, 128, 256, 512), (2, 2, 2, 2), classes, dropout),
    "resnet34": lambda classes, dropout: ResNet((64, 128, 256, 512), (3, 4, 6, 3), classes, dropout),
}


def build_model(name, classes, dropout=0.0):
    return MODELS[name](classes, dropout)
