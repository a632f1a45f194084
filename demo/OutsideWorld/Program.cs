using Orders.OutsideWorld;

var app = OutsideWorldHost.Build(args);
await app.RunAsync();
