BEGIN TRANSACTION;
CREATE TABLE candidates (
	id VARCHAR(64) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	x_min DOUBLE NOT NULL, 
	y_min DOUBLE NOT NULL, 
	x_max DOUBLE NOT NULL, 
	y_max DOUBLE NOT NULL, 
	category TEXT NOT NULL, 
	score DOUBLE NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "candidates" VALUES('752dfa1db59327440aef8bedd4aefd5f','45d9248b3a6b4ce4b70457a53bdfebc5',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('3c516124e4be8ba7203ffdadffd63dbb','45d9248b3a6b4ce4b70457a53bdfebc5',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('df11676ebdf2280355c1349b759d8bb4','45d9248b3a6b4ce4b70457a53bdfebc5',2,5.0,120.0,50.0,160.0,'opacity',0.2);
INSERT INTO "candidates" VALUES('8a93a899a58beaac98e99793b362e45c','0cd64a460ac34cbba6f8814c198a64ed',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('84cac0a49818658973b5fc2750154a8b','0cd64a460ac34cbba6f8814c198a64ed',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('2e74d7d8f4f6cc3c148830e6a130409f','0cd64a460ac34cbba6f8814c198a64ed',2,5.0,120.0,50.0,160.0,'opacity',0.2);
CREATE TABLE events (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	study_uid VARCHAR(128) NOT NULL, 
	verb VARCHAR(16) NOT NULL, 
	image_uid VARCHAR(128), 
	frame_number INTEGER, 
	pixel_sha256 VARCHAR(64), 
	"before" JSON, 
	"after" JSON, 
	reader TEXT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	threshold DOUBLE NOT NULL, 
	ai_visible BOOLEAN NOT NULL, 
	weights_sha256 TEXT, 
	model_name TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	undoes VARCHAR(64), 
	covers JSON NOT NULL, 
	FOREIGN KEY(image_uid, frame_number, pixel_sha256) REFERENCES images (uid, frame_number, pixel_sha256), 
	UNIQUE (id), 
	FOREIGN KEY(undoes) REFERENCES events (id)
);
INSERT INTO "events" VALUES(1,'7b27bd4d6cf34649b0709b55f92b5fb2','1.2.3','accept','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "752dfa1db59327440aef8bedd4aefd5f", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "752dfa1db59327440aef8bedd4aefd5f", "note": ""}','{"id": "752dfa1db59327440aef8bedd4aefd5f", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "752dfa1db59327440aef8bedd4aefd5f", "note": ""}','Dr. Who','2026-11-27T21:23:29.153331+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(2,'6b032277814d4b158bdc9da7aae3fcbe','1.2.3','reject','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','Dr. Who','2026-11-27T21:23:29.179618+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(3,'909a97a4c6e24c73abe6d3043804cb8b','1.2.3','undo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','Dr. Who','2026-11-27T21:23:29.188665+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','6b032277814d4b158bdc9da7aae3fcbe','[]');
INSERT INTO "events" VALUES(4,'08256df759724437a5d40ae9f0cfb66f','1.2.3','redo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','{"id": "3c516124e4be8ba7203ffdadffd63dbb", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3c516124e4be8ba7203ffdadffd63dbb", "note": ""}','Dr. Who','2026-11-27T21:23:29.212182+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','909a97a4c6e24c73abe6d3043804cb8b','[]');
INSERT INTO "events" VALUES(5,'821220658a104b4ea2bbddce8f72d82f','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "8584954d1d6b40cc843a1fe26a72583f", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:29.240039+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(6,'efe29abcf1234339b03100673d67c703','1.2.3','measure','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "2f756c14220b47ee86d25838fcdc6b5e", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "shape": "length", "points": [[1.0, 1.0], [5.0, 5.0]]}','Dr. Who','2026-11-27T21:23:29.260552+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(7,'f50d6828d7fe4f05b228f45b8fbed99c','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:29.286540+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(8,'46956922505a4a45a0ac1ab39abee8b5','1.2.3','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.301491+00:00',0.5,1,NULL,'','','f50d6828d7fe4f05b228f45b8fbed99c','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(9,'545ccfb0aab64ffbb61d169397900120','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.315287+00:00',0.5,1,NULL,'','','46956922505a4a45a0ac1ab39abee8b5','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(10,'1088b793650e4a2cb5198e9e73451cbf','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "8b0c9d20bfa248088962f9210a549d76", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:29.336794+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(11,'29d02d20272f4f9d97280339fc3faaf2','1.2.3','measure','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "ac1d6c265f764ba08a0dea60bf001ba7", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "shape": "length", "points": [[1.0, 1.0], [5.0, 5.0]]}','Dr. Other','2026-11-27T21:23:29.356360+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(12,'f52a29ecd892466b8e9cf75085f50469','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.377852+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(13,'25569ff5fe064aad8c54e8b9fcab3be0','1.2.4','accept','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "8a93a899a58beaac98e99793b362e45c", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "8a93a899a58beaac98e99793b362e45c", "note": ""}','{"id": "8a93a899a58beaac98e99793b362e45c", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "8a93a899a58beaac98e99793b362e45c", "note": ""}','Dr. Who','2026-11-27T21:23:29.470414+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(14,'98df73d4ec1841eb9f44471fc0fbcc49','1.2.4','reject','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','Dr. Who','2026-11-27T21:23:29.492005+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(15,'102a9977340640238b08c6255345f95a','1.2.4','undo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','Dr. Who','2026-11-27T21:23:29.501191+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','98df73d4ec1841eb9f44471fc0fbcc49','[]');
INSERT INTO "events" VALUES(16,'31ccdfcb3e4d49f99ab9ae5ea765b5d7','1.2.4','redo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','{"id": "84cac0a49818658973b5fc2750154a8b", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "84cac0a49818658973b5fc2750154a8b", "note": ""}','Dr. Who','2026-11-27T21:23:29.516131+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','102a9977340640238b08c6255345f95a','[]');
INSERT INTO "events" VALUES(17,'affe32a66f5545898ccfa36c5f0c0ebf','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "6526d7ba485b4dd09639768718e784a3", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:29.528089+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(18,'73a87c7ece91442dbfb3a9e383f5548c','1.2.4','measure','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "0f4f3b13b94942859213295465d8c112", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "shape": "length", "points": [[1.0, 1.0], [5.0, 5.0]]}','Dr. Who','2026-11-27T21:23:29.548039+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(19,'3f4d136ebce34103aa18773d95cd3d53','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:29.564029+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(20,'d4e92386276c4ec1956adca34fb03552','1.2.4','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.586519+00:00',0.5,1,NULL,'','','3f4d136ebce34103aa18773d95cd3d53','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(21,'13161191f4704bfc99e9cdaa202f0366','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.608001+00:00',0.5,1,NULL,'','','d4e92386276c4ec1956adca34fb03552','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(22,'4471f8eaea7445ac98c6461ea804ff6e','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "a5bff06e0ae047ac962defed99dd12d7", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:29.620778+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(23,'2560350d1a734ecea691fa341627685d','1.2.4','measure','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "f60ab1fb355f4aa2af8c3610c9f117c1", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "shape": "length", "points": [[1.0, 1.0], [5.0, 5.0]]}','Dr. Other','2026-11-27T21:23:29.638717+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(24,'22db676e88a64f8380e73fe6db2e93f2','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:29.659212+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
CREATE TABLE images (
	uid VARCHAR(128) NOT NULL, 
	frame_number INTEGER NOT NULL, 
	pixel_sha256 VARCHAR(64) NOT NULL, 
	study_uid VARCHAR(128) NOT NULL, 
	patient_key VARCHAR(32) NOT NULL, 
	header JSON NOT NULL, 
	seen INTEGER NOT NULL, 
	PRIMARY KEY (uid, frame_number, pixel_sha256)
);
INSERT INTO "images" VALUES('1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.3','b72de27552d5da996a0379b81610fa02','{"path": "/films/image.dcm", "member": "", "uid": "1.2.3.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.3", "patient": {"name": "Doe^Jane", "id": "P1", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.3.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated", "calibration": "", "magnification": 0.0, "ratio": 1.0}, "geometry": null, "kind": "image", "title": "", "references": []}',1);
INSERT INTO "images" VALUES('1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.4','ee9dbaadc6d6b5ee346b3672edb7baf2','{"path": "/films/image.dcm", "member": "", "uid": "1.2.4.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.4", "patient": {"name": "Doe^Jane", "id": "P2", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.4.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated", "calibration": "", "magnification": 0.0, "ratio": 1.0}, "geometry": null, "kind": "image", "title": "", "references": []}',1);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','3');
INSERT INTO "meta" VALUES('secret','4ccb4e20763e1c465ed6b1706828b16f18f5a333c7ed8509c1413c1bff1d49fc');
INSERT INTO "meta" VALUES('created_at','2026-11-27T21:23:29.074351+00:00');
INSERT INTO "meta" VALUES('opened_at','2026-11-27T21:23:29.101954+00:00');
CREATE TABLE runs (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	image_uid VARCHAR(128) NOT NULL, 
	frame_number INTEGER NOT NULL, 
	pixel_sha256 VARCHAR(64) NOT NULL, 
	model_name TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	weights_sha256 TEXT NOT NULL, 
	device TEXT NOT NULL, 
	score_floor DOUBLE NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	precision VARCHAR(16), 
	image_findings JSON, 
	FOREIGN KEY(image_uid, frame_number, pixel_sha256) REFERENCES images (uid, frame_number, pixel_sha256), 
	UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'45d9248b3a6b4ce4b70457a53bdfebc5','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:29.148052+00:00','fp32','{}');
INSERT INTO "runs" VALUES(2,'0cd64a460ac34cbba6f8814c198a64ed','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:29.448025+00:00','fp32','{}');
CREATE INDEX ix_images_study_uid ON images (study_uid);
CREATE INDEX ix_images_pixel_sha256 ON images (pixel_sha256);
CREATE INDEX runs_of_image ON runs (image_uid, frame_number, pixel_sha256);
CREATE INDEX ix_events_study_uid ON events (study_uid);
CREATE INDEX ix_candidates_run_id ON candidates (run_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',2);
INSERT INTO "sqlite_sequence" VALUES('events',24);
COMMIT;
