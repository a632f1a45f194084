using Parcels;
using QueueWorkers;

// run (the default), deploy, describe
return await QueueWorkersCommands.RunAsync(args, ParcelsApplication.Build);
