using Orders.AppHost;

var builder = DistributedApplication.CreateBuilder(args);
try
{
    new Installation(builder, await ComposeFile.ReadAsync(FolderOf(builder))).Add();
}
catch (ComposeException problem)
{
    await Console.Error.WriteLineAsync(problem.Message);
    return 2;
}

await builder.Build().RunAsync();
return 0;

// Another folder with a docker-compose.yml and a .env: --Compose:Folder=PATH.
static string FolderOf(IDistributedApplicationBuilder builder) =>
    builder.Configuration["Compose:Folder"] ?? Path.GetFullPath(Path.Combine(builder.AppHostDirectory, "..", ".."));
